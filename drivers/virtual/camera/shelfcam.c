/* A virtual UVC camera for one process: preloaded, it answers for one device path with JPEG frames from a Unix socket.
 *
 * SHELFCAM_DEVICE  the path that is the camera, /dev/video9 unless said otherwise
 * SHELFCAM_SOCKET  where the frames come from: each a length (32 bits, little endian) and so many bytes of JPEG
 *
 * The program's own V4L2 code runs unchanged: it negotiates a format, maps buffers, waits in select, takes and returns
 * buffers (Linux media API, V4L2 streaming I/O). The descriptor it holds is the socket itself, so select and poll work
 * as on the real thing. Nobody listening at the socket: no such device. The far end closed: ENODEV, as after unplugging.
 *
 * Faults, while a file of this name lies beside the socket: <socket>.denied, the node may not be opened (EACCES);
 * <socket>.locked, another program holds it and it opens once only (EBUSY, as loopback cameras do); <socket>.busy, another
 * program streams from it (opens, then EBUSY, as UVC cameras do); <socket>.data, it is a camera's node for timing data.
 *
 * Not modelled: raw (YUYV) formats, controls (exposure, focus), several sizes (the first frame's size is asked for in
 * SHELFCAM_SIZE, 1280x720), two openers at once, timestamps of the sensor.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 8, BUFFER_BYTES = 4 * 1024 * 1024 };

static struct {
    pthread_mutex_t lock;
    int fd;                              /* the socket while open, else -1 */
    unsigned buffers;                    /* asked for by REQBUFS */
    unsigned waiting[BUFFERS];           /* indices of empty buffers, oldest first */
    unsigned first, count;
    unsigned sequence;
    unsigned char *memory[BUFFERS];
} camera = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static void *next_symbol(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static int is_camera(const char *path)
{
    const char *ours = getenv("SHELFCAM_DEVICE");
    return path && strcmp(path, ours ? ours : "/dev/video9") == 0;
}

static int answer(int error)
{
    errno = error;
    return error ? -1 : 0;
}

static int fault(const char *kind)
{
    int (*real)(const char *, int) = next_symbol("access");
    const char *feed = getenv("SHELFCAM_SOCKET");
    char path[512];
    return feed && snprintf(path, sizeof path, "%s.%s", feed, kind) < (int)sizeof path && real(path, F_OK) == 0;
}

/* access() asks the path itself elsewhere; here the camera may be read and written while somebody feeds it. */
int access(const char *path, int mode)
{
    int (*real)(const char *, int) = next_symbol("access");
    const char *feed = getenv("SHELFCAM_SOCKET");
    if (is_camera(path))
        return !feed ? answer(ENOENT) : real(feed, F_OK) ? -1 : mode != F_OK && fault("denied") ? answer(EACCES) : 0;
    return real(path, mode);
}

static int open_camera(void)
{
    const char *path = getenv("SHELFCAM_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path || strlen(path) >= sizeof address.sun_path)
        return answer(ENOENT);
    if (fault("denied"))
        return answer(EACCES);
    if (fault("locked"))
        return answer(EBUSY);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return answer(ENOENT);
    }
    pthread_mutex_lock(&camera.lock);
    camera.fd = fd;
    camera.first = camera.count = camera.sequence = 0;
    pthread_mutex_unlock(&camera.lock);
    return fd;
}

#define OPEN_LIKE(name)                                                              \
    int name(const char *path, int flags, ...)                                       \
    {                                                                                \
        va_list rest;                                                                \
        va_start(rest, flags);                                                       \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;      \
        va_end(rest);                                                                \
        if (is_camera(path))                                                         \
            return open_camera();                                                    \
        int (*real)(const char *, int, ...) = next_symbol(#name);                    \
        return real(path, flags, mode);                                              \
    }
OPEN_LIKE(open)
OPEN_LIKE(open64)

/* A character device of the video major, so that programs which look before they open are content. */
#define STAT_LIKE(name, kind)                                                        \
    int name(const char *restrict path, struct kind *restrict found)                 \
    {                                                                                \
        if (is_camera(path)) {                                                       \
            const char *socket_path = getenv("SHELFCAM_SOCKET");                     \
            memset(found, 0, sizeof *found);                                         \
            if (!socket_path || access(socket_path, F_OK))                           \
                return answer(ENOENT);                                               \
            found->st_mode = S_IFCHR | 0660;                                         \
            found->st_rdev = makedev(81, 9);                                         \
            return 0;                                                                \
        }                                                                            \
        int (*real)(const char *, struct kind *) = next_symbol(#name);               \
        return real(path, found);                                                    \
    }
STAT_LIKE(stat, stat)
STAT_LIKE(stat64, stat64)

static void describe(struct v4l2_pix_format *format)
{
    unsigned width = 1280, height = 720;
    const char *size = getenv("SHELFCAM_SIZE");
    if (size && sscanf(size, "%ux%u", &width, &height) != 2)
        width = 1280, height = 720;
    *format = (struct v4l2_pix_format){.width = width, .height = height, .pixelformat = V4L2_PIX_FMT_MJPEG,
                                       .field = V4L2_FIELD_NONE, .sizeimage = BUFFER_BYTES,
                                       .colorspace = V4L2_COLORSPACE_JPEG};
}

static int receive(int fd, void *into, size_t wanted)
{
    for (size_t have = 0; have < wanted;) {
        ssize_t got = recv(fd, (char *)into + have, wanted - have, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        have += (size_t)got;
    }
    return 0;
}

static int take_frame(struct v4l2_buffer *buffer)
{
    struct pollfd ready = {.fd = camera.fd, .events = POLLIN};
    uint32_t length;
    if (camera.count == 0 || poll(&ready, 1, 0) <= 0)
        return answer(EAGAIN);
    unsigned index = camera.waiting[camera.first];
    if (receive(camera.fd, &length, sizeof length) || length > BUFFER_BYTES || !camera.memory[index] ||
        receive(camera.fd, camera.memory[index], length))
        return answer(ENODEV);
    camera.first = (camera.first + 1) % BUFFERS;
    camera.count--;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    buffer->index = index;
    buffer->bytesused = length;
    buffer->length = BUFFER_BYTES;
    buffer->m.offset = index * BUFFER_BYTES;
    buffer->sequence = camera.sequence++;
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer->field = V4L2_FIELD_NONE;
    buffer->timestamp.tv_sec = now.tv_sec;
    buffer->timestamp.tv_usec = now.tv_nsec / 1000;
    return 0;
}

static int serve(unsigned request, void *argument)
{
    if (fault("busy") && (request == VIDIOC_S_FMT || request == VIDIOC_REQBUFS || request == VIDIOC_STREAMON))
        return answer(EBUSY);
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *can = argument;
        *can = (struct v4l2_capability){.driver = "uvcvideo", .card = "Shelfpoint Virtual Camera",
                                        .device_caps = V4L2_CAP_STREAMING};
        can->device_caps |= fault("data") ? V4L2_CAP_META_CAPTURE : V4L2_CAP_VIDEO_CAPTURE;
        can->capabilities = can->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    case VIDIOC_ENUMINPUT: {
        struct v4l2_input *input = argument;
        if (input->index)
            return answer(EINVAL);
        *input = (struct v4l2_input){.name = "Camera 1", .type = V4L2_INPUT_TYPE_CAMERA};
        return 0;
    }
    case VIDIOC_G_INPUT:
        *(int *)argument = 0;
        return 0;
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *format = argument;
        if (format->index)
            return answer(EINVAL);
        format->pixelformat = V4L2_PIX_FMT_MJPEG;
        format->flags = V4L2_FMT_FLAG_COMPRESSED;
        return 0;
    }
    case VIDIOC_G_FMT:
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT:
        describe(&((struct v4l2_format *)argument)->fmt.pix);
        return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: {
        struct v4l2_streamparm *rate = argument;
        rate->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        rate->parm.capture.timeperframe = (struct v4l2_fract){1, 30};
        return 0;
    }
    case VIDIOC_REQBUFS: {
        struct v4l2_requestbuffers *asked = argument;
        if (asked->count > BUFFERS)
            asked->count = BUFFERS;
        camera.buffers = asked->count;
        camera.first = camera.count = 0;
        return 0;
    }
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *buffer = argument;
        if (buffer->index >= camera.buffers)
            return answer(EINVAL);
        buffer->length = BUFFER_BYTES;
        buffer->m.offset = buffer->index * BUFFER_BYTES;
        return 0;
    }
    case VIDIOC_QBUF: {
        struct v4l2_buffer *buffer = argument;
        if (buffer->index >= BUFFERS || camera.count == BUFFERS)
            return answer(EINVAL);
        camera.waiting[(camera.first + camera.count++) % BUFFERS] = buffer->index;
        return 0;
    }
    case VIDIOC_DQBUF:
        return take_frame(argument);
    case VIDIOC_S_INPUT:
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF:
        return 0;
    default:
        return answer(EINVAL);
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    pthread_mutex_lock(&camera.lock);
    if (fd >= 0 && fd == camera.fd) {
        int result = serve((unsigned)request, argument);
        int error = errno;
        pthread_mutex_unlock(&camera.lock);
        errno = error;
        return result;
    }
    pthread_mutex_unlock(&camera.lock);
    int (*real)(int, unsigned long, ...) = next_symbol("ioctl");
    return real(fd, request, argument);
}

/* Buffers are ordinary memory, kept for the life of the process: a reader may still hold one after unplugging. */
static void *map(off_t offset)
{
    size_t index = (size_t)offset / BUFFER_BYTES;
    if (index >= BUFFERS)
        return answer(EINVAL), MAP_FAILED;
    if (!camera.memory[index])
        camera.memory[index] = malloc(BUFFER_BYTES);
    return camera.memory[index] ? camera.memory[index] : (answer(ENOMEM), MAP_FAILED);
}

#define MMAP_LIKE(name, offset_type)                                                               \
    void *name(void *at, size_t length, int protection, int flags, int fd, offset_type offset)     \
    {                                                                                              \
        if (fd >= 0 && fd == camera.fd)                                                            \
            return map((off_t)offset);                                                             \
        void *(*real)(void *, size_t, int, int, int, offset_type) = next_symbol(#name);            \
        return real(at, length, protection, flags, fd, offset);                                    \
    }
MMAP_LIKE(mmap, off_t)
MMAP_LIKE(mmap64, off64_t)

int munmap(void *at, size_t length)
{
    for (int index = 0; index < BUFFERS; index++)
        if (at && at == camera.memory[index])
            return 0;
    int (*real)(void *, size_t) = next_symbol("munmap");
    return real(at, length);
}

int close(int fd)
{
    pthread_mutex_lock(&camera.lock);
    if (fd >= 0 && fd == camera.fd)
        camera.fd = -1;
    pthread_mutex_unlock(&camera.lock);
    int (*real)(int) = next_symbol("close");
    return real(fd);
}
