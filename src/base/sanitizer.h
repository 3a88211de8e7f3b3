/* sanitizer.h - is this built with -fsanitize=address, or =thread: TG_ASAN and
 * TG_TSAN are 1 or 0.
 */
#ifndef TG_BASE_SANITIZER_H
#define TG_BASE_SANITIZER_H

#ifdef __has_feature /* clang's; gcc's from 14 on */
#define TG_HAS_FEATURE(name_) __has_feature(name_)
#else
#define TG_HAS_FEATURE(name_) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || TG_HAS_FEATURE(address_sanitizer)
#define TG_ASAN 1
#else
#define TG_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || TG_HAS_FEATURE(thread_sanitizer)
#define TG_TSAN 1
#else
#define TG_TSAN 0
#endif

#endif
