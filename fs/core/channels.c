#include "channels.h"

static int channels_by_ino(const struct inode *a, const struct inode *b)
{
	return (a->ino > b->ino) - (a->ino < b->ino);
}

static int channels_by_id(const struct node *a, const struct node *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

RB_GENERATE_INTERNAL(channels, inode, by_ino, channels_by_ino, TREE_STATIC)
RB_GENERATE_INTERNAL(channel_names, node, of_channel, channels_by_id, TREE_STATIC)

void channels_init(struct channels *all)
{
	RB_INIT(all);
}

void channels_add(struct channels *all, struct inode *inode)
{
	RB_INSERT(channels, all, inode);
}

void channels_remove(struct channels *all, struct inode *inode)
{
	RB_REMOVE(channels, all, inode);
}

/* The macros' searches write nothing, though they are not declared so. */
struct inode *channels_after(const struct channels *all, uint64_t ino)
{
	return RB_NFIND(channels, (struct channels *)all, &(struct inode){ .ino = ino + 1 });
}

void channels_init_names(struct inode *inode)
{
	RB_INIT(&inode->nodes);
}

void channels_add_name(struct inode *inode, struct node *node)
{
	RB_INSERT(channel_names, &inode->nodes, node);
}

void channels_remove_name(struct inode *inode, struct node *node)
{
	RB_REMOVE(channel_names, &inode->nodes, node);
}

struct node *channels_name_after(const struct inode *inode, uint64_t id)
{
	return RB_NFIND(channel_names, (struct channel_names *)&inode->nodes, &(struct node){ .id = id + 1 });
}
