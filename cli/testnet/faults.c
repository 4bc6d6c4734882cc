/* Makes a disk full or slow, and a clock wrong, for one process: loaded into it with LD_PRELOAD.
 *
 * TESTNET_SWITCH names a file of 4096 bytes that is mapped here and changed by the driver while the process runs;
 * TESTNET_FOLDER the folder whose files are on the "disk". While all switches are off, a call costs one more look into
 * memory. Without the two variables nothing is done at all.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The same as in preload.py. Counters are for those who want to know that a switch has done something. */
struct switches {
    volatile int64_t full;        /* not 0: nothing can be written */
    volatile int64_t sync_us;     /* microseconds that a sync takes longer */
    volatile int64_t write_us;    /* ... and a write */
    volatile int64_t offset_ns;   /* that the clock is ahead */
    volatile int64_t refused;     /* calls that got ENOSPC */
    volatile int64_t delayed;     /* calls that were made to wait */
    volatile int64_t shifted;     /* readings of the clock that were wrong */
};

#define BILLION INT64_C(1000000000)
#define REAL_TIME INT64_C(1000000000) /* seconds; what is above is a date, what is below the time since the start */

static struct switches all_off;
static struct switches *switches = &all_off;
static char folder[PATH_MAX];
static size_t folder_length;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("TESTNET_SWITCH"), *where = getenv("TESTNET_FOLDER");
    if (!at || !where || !realpath(where, folder)) return;
    folder_length = strlen(folder);
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int file = real_open ? real_open(at, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(struct switches), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) switches = mapped;
}

/* The function that the process would have called. Looked up once; two threads find the same. */
#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static void count(volatile int64_t *counter) { __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED); }

/* ---- the disk ------------------------------------------------------------------------------------------------ */

static int is_below_folder(const char *path) {
    return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || !path[folder_length]);
}

static int is_on_disk(int file) {
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below_folder(path);
}

static void wait_us(int64_t microseconds) {
    struct timespec left = {microseconds / 1000000, microseconds % 1000000 * 1000};
    int before = errno;
    while (nanosleep(&left, &left) && errno == EINTR) {}
    errno = before;
    count(&switches->delayed);
}

/* Whether a write or sync of the file has to fail; `waits` is how long it takes at least. */
static int fails(int file, int64_t waits) {
    if (!switches->full && !waits) return 0;
    if (!is_on_disk(file)) return 0;
    if (waits) wait_us(waits);
    if (!switches->full) return 0;
    count(&switches->refused);
    errno = ENOSPC;
    return 1;
}

#define WRITES(type, name, parameters, ...) \
    type name parameters { \
        REAL(name); \
        return fails(file, switches->write_us) ? -1 : real(__VA_ARGS__); \
    }

WRITES(ssize_t, write, (int file, const void *from, size_t size), file, from, size)
WRITES(ssize_t, pwrite, (int file, const void *from, size_t size, off_t at), file, from, size, at)
WRITES(ssize_t, pwrite64, (int file, const void *from, size_t size, off64_t at), file, from, size, at)
WRITES(ssize_t, writev, (int file, const struct iovec *from, int parts), file, from, parts)
WRITES(ssize_t, pwritev, (int file, const struct iovec *from, int parts, off_t at), file, from, parts, at)
WRITES(ssize_t, pwritev64, (int file, const struct iovec *from, int parts, off64_t at), file, from, parts, at)
WRITES(int, fallocate, (int file, int mode, off_t at, off_t size), file, mode, at, size)
WRITES(int, fallocate64, (int file, int mode, off64_t at, off64_t size), file, mode, at, size)

#define SYNCS(name) \
    int name(int file) { \
        REAL(name); \
        return fails(file, switches->sync_us) ? -1 : real(file); \
    }

SYNCS(fsync)
SYNCS(fdatasync)

/* These two return the error instead of setting it. */
int posix_fallocate(int file, off_t at, off_t size) {
    REAL(posix_fallocate);
    return fails(file, switches->write_us) ? ENOSPC : real(file, at, size);
}

int posix_fallocate64(int file, off64_t at, off64_t size) {
    REAL(posix_fallocate64);
    return fails(file, switches->write_us) ? ENOSPC : real(file, at, size);
}

/* A file can be made shorter on a full disk. */
static int grows(int file, int64_t size) {
    struct stat found;
    return fstat(file, &found) || size > found.st_size;
}

int ftruncate(int file, off_t size) {
    REAL(ftruncate);
    return grows(file, size) && fails(file, switches->write_us) ? -1 : real(file, size);
}

int ftruncate64(int file, off64_t size) {
    REAL(ftruncate64);
    return grows(file, size) && fails(file, switches->write_us) ? -1 : real(file, size);
}

/* A new file takes space for its name. `at` is what a relative path begins from. */
static int cannot_be_made(int at, const char *path, int flags) {
    char whole[PATH_MAX * 2], start[PATH_MAX], link[64];
    struct stat found;
    int before = errno, exists;
    if (!switches->full || !(flags & O_CREAT)) return 0;
    exists = fstatat(at, path, &found, 0) == 0;
    if (!exists && path[0] != '/') {
        snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
        ssize_t length = readlink(link, start, sizeof start - 1);
        start[length < 0 ? 0 : length] = 0;
        snprintf(whole, sizeof whole, "%s/%s", start, path);
        path = whole;
    }
    errno = before;
    if (exists || !is_below_folder(path)) return 0;
    count(&switches->refused);
    errno = ENOSPC;
    return 1;
}

static mode_t mode_of(int flags, va_list arguments) {
    int makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return makes ? va_arg(arguments, mode_t) : 0;
}

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = mode_of(flags, arguments); \
        va_end(arguments); \
        return cannot_be_made(AT_FDCWD, path, flags) ? -1 : real(path, flags, mode); \
    }

OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int at, const char *path, int flags, ...) { \
        REAL(name); \
        va_list arguments; \
        va_start(arguments, flags); \
        mode_t mode = mode_of(flags, arguments); \
        va_end(arguments); \
        return cannot_be_made(at, path, flags) ? -1 : real(at, path, flags, mode); \
    }

OPENS_AT(openat)
OPENS_AT(openat64)

#define CREATES(name) \
    int name(const char *path, mode_t mode) { \
        REAL(name); \
        return cannot_be_made(AT_FDCWD, path, O_CREAT) ? -1 : real(path, mode); \
    }

CREATES(creat)
CREATES(creat64)

/* ---- the clock ----------------------------------------------------------------------------------------------- */

static void shift(struct timespec *time, int64_t offset) {
    int64_t nanoseconds = time->tv_nsec + offset % BILLION;
    time->tv_sec += offset / BILLION + (nanoseconds >= BILLION) - (nanoseconds < 0);
    time->tv_nsec = (nanoseconds + BILLION) % BILLION;
}

static int is_real_time(clockid_t clock) { return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE; }

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int result = real(clock, now);
    if (!result && switches->offset_ns && is_real_time(clock)) {
        shift(now, switches->offset_ns);
        count(&switches->shifted);
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone; /* obsolete, and NULL */
    if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (to) *to = found.tv_sec;
    return found.tv_sec;
}

int timespec_get(struct timespec *to, int base) {
    REAL(timespec_get);
    if (base != TIME_UTC) return real(to, base);
    return clock_gettime(CLOCK_REALTIME, to) ? 0 : base;
}

/* Who waits until a time that a wrong clock gave waits as long as was meant: the kernel's clock is right. */
static const struct timespec *as_meant(const struct timespec *until, struct timespec *right) {
    *right = *until;
    if (switches->offset_ns && until->tv_sec > REAL_TIME) shift(right, -switches->offset_ns);
    return right;
}

/* glibc has an old version of the first one, with another layout, which a plain dlsym may find. */
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock,
                           const struct timespec *restrict until) {
    static __typeof__(&pthread_cond_timedwait) real;
    struct timespec right;
    if (!real) real = (__typeof__(real))dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    return real(condition, lock, as_meant(until, &right));
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict lock, const struct timespec *restrict until) {
    REAL(pthread_mutex_timedlock);
    struct timespec right;
    return real(lock, as_meant(until, &right));
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict until) {
    REAL(sem_timedwait);
    struct timespec right;
    return real(semaphore, as_meant(until, &right));
}
