/* Whether there is a sanitizer, which needs memory of its own: tests that take memory away are disabled with it. */
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif
