/*
 * Gives one pcscd folders of its own: loaded into it (LD_PRELOAD), whatever it does below /run/pcscd and
 * /usr/lib/pcsc/drivers it does below $ELSEWHERE_RUN and $ELSEWHERE_DRIVERS.
 *
 * Why: both paths are compiled into pcscd, and a second one refuses to start while the first one's process-id file lies
 * there. A mount namespace would do the same, but needs CAP_SYS_ADMIN or user namespaces, which containers and Ubuntu
 * 24.04 do not give; socket activation (LISTEN_FDS) needs neither, but then writes over and removes the other's
 * process-id file. Covered are the names that pcscd 1.9 and 2.x use
 * (nm -D pcscd), with and without large-file support; what were not redirected would fail loudly: the socket does not appear.
 *
 * Threads: pure but for the first look-up of each real function, which any thread may repeat.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const struct {
    const char *from, *variable;
} folders[] = {{"/run/pcscd", "ELSEWHERE_RUN"}, {"/usr/lib/pcsc/drivers", "ELSEWHERE_DRIVERS"}};

/* The path to use instead; `room` holds it if it is another. */
static const char *elsewhere(const char *path, char room[PATH_MAX])
{
    for (size_t i = 0; path != NULL && i < sizeof folders / sizeof *folders; i++) {
        size_t length = strlen(folders[i].from);
        const char *to = getenv(folders[i].variable);
        if (to == NULL || strncmp(path, folders[i].from, length) || (path[length] != '/' && path[length] != '\0'))
            continue;
        if (snprintf(room, PATH_MAX, "%s%s", to, path + length) < PATH_MAX)
            return room;
    }
    return path;
}

int stat(const char *path, struct stat *result)
{
    char room[PATH_MAX];
    return REAL(stat)(elsewhere(path, room), result);
}

int lstat(const char *path, struct stat *result)
{
    char room[PATH_MAX];
    return REAL(lstat)(elsewhere(path, room), result);
}

int stat64(const char *path, struct stat64 *result)
{
    char room[PATH_MAX];
    return REAL(stat64)(elsewhere(path, room), result);
}

int lstat64(const char *path, struct stat64 *result)
{
    char room[PATH_MAX];
    return REAL(lstat64)(elsewhere(path, room), result);
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        char room[PATH_MAX];                                                                                           \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;                                        \
        va_end(more);                                                                                                  \
        return REAL(name)(elsewhere(path, room), flags, mode);                                                         \
    }

OPEN(open)
OPEN(open64)

FILE *fopen(const char *path, const char *mode)
{
    char room[PATH_MAX];
    return REAL(fopen)(elsewhere(path, room), mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    char room[PATH_MAX];
    return REAL(fopen64)(elsewhere(path, room), mode);
}

DIR *opendir(const char *path)
{
    char room[PATH_MAX];
    return REAL(opendir)(elsewhere(path, room));
}

int mkdir(const char *path, mode_t mode)
{
    char room[PATH_MAX];
    return REAL(mkdir)(elsewhere(path, room), mode);
}

int chmod(const char *path, mode_t mode)
{
    char room[PATH_MAX];
    return REAL(chmod)(elsewhere(path, room), mode);
}

int remove(const char *path)
{
    char room[PATH_MAX];
    return REAL(remove)(elsewhere(path, room));
}

void *dlopen(const char *path, int flags)
{
    char room[PATH_MAX];
    return REAL(dlopen)(elsewhere(path, room), flags);
}

int bind(int socket, const struct sockaddr *address, socklen_t length)
{
    char room[PATH_MAX];
    struct sockaddr_un moved = {.sun_family = AF_UNIX};
    if (address == NULL || address->sa_family != AF_UNIX || length <= offsetof(struct sockaddr_un, sun_path) ||
        length > sizeof moved)
        return REAL(bind)(socket, address, length);
    memcpy(&moved, address, length);
    moved.sun_path[sizeof moved.sun_path - 1] = '\0';
    const char *path = elsewhere(moved.sun_path, room);
    if (path != room)
        return REAL(bind)(socket, address, length);
    if (strlen(path) >= sizeof moved.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(moved.sun_path, path);
    return REAL(bind)(socket, (struct sockaddr *)&moved, sizeof moved);
}
