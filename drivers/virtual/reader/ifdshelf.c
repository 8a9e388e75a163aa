/*
 * A virtual contactless reader for pcscd (PC/SC IFD handler 3.0).
 *
 * Owns: one loopback TCP port per reader. Whoever connects is a card on the reader; closing the connection takes the
 * card away. A reader is unplugged while the file "<flag folder>/<port>.unplugged" exists.
 *
 * Why: Debian's virtual reader polls every 400 ms, listens on all addresses and cannot be unplugged. This one sleeps
 * in poll(2) on its socket, an eventfd and an inotify watch, so a card is noticed as fast as on a reader with an
 * interrupt endpoint. One shared object serves up to 16 readers (pcsc-lite 1.9.9 has no more).
 *
 * Wire protocol (that of vpcd): 2-byte big-endian length, then the body. A body of one byte is a control:
 * 0 power off, 1 power on, 2 reset (no answer to these), 4 "send your ATR". Any other body is an APDU to answer.
 * One word is added: an empty answer means "the card stays mute", which the reader reports as its own time-out.
 *
 * A reader whose file "<flag folder>/<port>.polled" exists when it is opened tells nothing by itself: pcscd asks it every
 * 400 ms, as it does most readers of contactless cards. A card may then be gone for so long before anybody is told.
 *
 * Light and buzzer: see signals.h. While "<flag folder>/<port>.locked" exists the reader refuses escape commands, as libccid
 * does unless its settings allow them.
 *
 * Configuration, in reader.conf: DEVICENAME <flag folder>:<port>, CHANNELID <port>. On USB (usb_bus.py) the name ends with
 * the device's number: the flag folder is $IFDSHELF_FOLDER, the port stands at that place of $IFDSHELF_PORTS (a,b,c).
 *
 * Threads: pcscd calls wait_for_event() and IFDHICCPresence() for one reader from one thread, and the other entries
 * from clients' threads under its own lock for that reader. Only IFDHICCPresence() and IFDHCloseChannel() close a
 * card's socket; the others mark it broken and wake the waiting thread, so no descriptor is reused under a poll.
 *
 * Not modelled: the radio field, anticollision, how long a buzzer sounds, other escape commands, USB traffic.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifdhandler.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <reader.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "signals.h"

enum { READERS = 16, LONGEST = 65535, ANSWER_SECONDS = 5, MUTE = -2, LOST = -1 };
enum { OFF = 0, ON = 1, RESET = 2, SEND_ATR = 4 };

struct reader {
    int port;
    int listener;
    int card;             /* the connected card, or -1 */
    int wake;             /* eventfd: somebody wants the waiting thread back */
    int notify;           /* inotify on the flag folder, or -1 */
    int polled;           /* it has no event of its own */
    int knocked;          /* the waiting thread has seen a card at the door */
    atomic_int broken;    /* the exchange failed; the card is reported absent once */
    char flag[256];       /* path whose existence means "unplugged" */
    char locked[256];     /* path whose existence means "no escape commands" */
    char signals[256];    /* file to which signal commands are written */
};

static struct reader readers[READERS];

static struct reader *reader_of(DWORD lun) { return &readers[(lun >> 16) % READERS]; }

static int unplugged(const struct reader *r) { return access(r->flag, F_OK) == 0; }

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void wake(struct reader *r)
{
    uint64_t one = 1;
    if (r->wake >= 0 && write(r->wake, &one, sizeof one) < 0)
        return; /* already signalled to the brim */
}

static void give_up(struct reader *r)
{
    atomic_store(&r->broken, 1);
    if (r->card >= 0)
        shutdown(r->card, SHUT_RDWR);
    wake(r);
}

/* Sends a message and, if `answer` is given, waits for its answer. Returns its length, MUTE or LOST. */
static int talk(struct reader *r, const unsigned char *message, size_t length, unsigned char *answer, size_t room)
{
    unsigned char frame[2 + LONGEST];
    if (r->card < 0 || atomic_load(&r->broken) || length > LONGEST)
        return LOST;
    frame[0] = (unsigned char)(length >> 8);
    frame[1] = (unsigned char)length;
    memcpy(frame + 2, message, length);
    if (send(r->card, frame, length + 2, MSG_NOSIGNAL) != (ssize_t)(length + 2))
        goto lost;
    if (answer == NULL)
        return 0;
    if (recv(r->card, frame, 2, MSG_WAITALL) != 2)
        goto lost;
    size_t size = (size_t)frame[0] << 8 | frame[1];
    if (size == 0)
        return MUTE;
    if (recv(r->card, frame, size, MSG_WAITALL) != (ssize_t)size || size > room)
        goto lost;
    memcpy(answer, frame, size);
    return (int)size;
lost:
    give_up(r);
    return LOST;
}

static int command(struct reader *r, unsigned char what) { return talk(r, &what, 1, NULL, 0); }

static RESPONSECODE fetch_atr(struct reader *r, PUCHAR atr, PDWORD length)
{
    unsigned char ask = SEND_ATR;
    int size = talk(r, &ask, 1, atr, *length < MAX_ATR_SIZE ? *length : MAX_ATR_SIZE);
    *length = size > 0 ? (DWORD)size : 0;
    return size > 0 ? IFD_SUCCESS : IFD_ERROR_POWER_ACTION;
}

/* --- channel ------------------------------------------------------------------------------------------------- */

static RESPONSECODE open_reader(struct reader *r, const char *folder, int port)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;

    memset(r, 0, sizeof *r);
    r->port = port;
    r->card = r->notify = r->wake = -1;
    snprintf(r->flag, sizeof r->flag, "%s/%d.polled", folder, port);
    r->polled = access(r->flag, F_OK) == 0;
    snprintf(r->flag, sizeof r->flag, "%s/%d.unplugged", folder, port);
    snprintf(r->locked, sizeof r->locked, "%s/%d.locked", folder, port);
    snprintf(r->signals, sizeof r->signals, "%s/%d.signals", folder, port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->listener < 0)
        return IFD_COMMUNICATION_ERROR;
    setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(r->listener, (struct sockaddr *)&where, sizeof where) < 0 || listen(r->listener, 4) < 0) {
        close_fd(&r->listener);
        return IFD_COMMUNICATION_ERROR;
    }
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (r->notify >= 0 && inotify_add_watch(r->notify, folder, IN_CREATE | IN_DELETE | IN_MOVE) < 0)
        close_fd(&r->notify); /* no folder: this reader cannot be unplugged */
    return IFD_SUCCESS;
}

static RESPONSECODE open_usb_reader(struct reader *r, const char *name)
{
    const char *folder = getenv("IFDSHELF_FOLDER"), *ports = getenv("IFDSHELF_PORTS"), *slash = strrchr(name, '/');
    if (folder == NULL || ports == NULL || slash == NULL)
        return IFD_COMMUNICATION_ERROR;
    for (int number = atoi(slash + 1); number > 1 && ports != NULL; number--)
        if ((ports = strchr(ports, ',')) != NULL)
            ports++;
    return ports == NULL ? IFD_COMMUNICATION_ERROR : open_reader(r, folder, atoi(ports));
}

RESPONSECODE IFDHCreateChannelByName(DWORD lun, LPSTR name)
{
    char folder[200];
    const char *colon = strrchr(name, ':');
    if (strncmp(name, "usb:", 4) == 0)
        return open_usb_reader(reader_of(lun), name);
    if (colon == NULL || (size_t)(colon - name) >= sizeof folder)
        return IFD_COMMUNICATION_ERROR;
    memcpy(folder, name, (size_t)(colon - name));
    folder[colon - name] = '\0';
    return open_reader(reader_of(lun), folder, atoi(colon + 1));
}

RESPONSECODE IFDHCreateChannel(DWORD lun, DWORD channel)
{
    return open_reader(reader_of(lun), "/nonexistent", (int)channel);
}

RESPONSECODE IFDHCloseChannel(DWORD lun)
{
    struct reader *r = reader_of(lun);
    close_fd(&r->card);
    close_fd(&r->listener);
    close_fd(&r->wake);
    close_fd(&r->notify);
    return IFD_SUCCESS;
}

/* --- events -------------------------------------------------------------------------------------------------- */

/* Blocks until the card, the plug or pcscd wants something, at most `timeout` ms. */
static RESPONSECODE wait_for_event(DWORD lun, int timeout)
{
    struct reader *r = reader_of(lun);
    char rubbish[4096];
    struct pollfd ears[3] = {
        {.fd = r->wake, .events = POLLIN},
        {.fd = r->notify, .events = POLLIN},
        {.fd = r->card >= 0 ? r->card : r->listener, .events = r->card >= 0 ? POLLRDHUP : POLLIN},
    };
    int there = !unplugged(r);
    /* An unplugged reader does not hear its cards; they wait in the listener's queue. */
    if (atomic_load(&r->broken) || poll(ears, there ? 3 : 2, timeout) <= 0)
        return IFD_SUCCESS;
    for (int i = 0; i < 2; i++)
        if (ears[i].fd >= 0 && ears[i].revents)
            while (read(ears[i].fd, rubbish, sizeof rubbish) > 0)
                ;
    r->knocked = there && r->card < 0 && ears[2].revents & POLLIN;
    return IFD_SUCCESS;
}

static RESPONSECODE stop_waiting(DWORD lun)
{
    wake(reader_of(lun));
    return IFD_SUCCESS;
}

RESPONSECODE IFDHICCPresence(DWORD lun)
{
    struct reader *r = reader_of(lun);
    char peeked;
    int one = 1;
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    struct pollfd door = {.fd = r->listener, .events = POLLIN};

    if (unplugged(r)) {
        close_fd(&r->card);
        return IFD_COMMUNICATION_ERROR; /* at IFD_NO_SUCH_DEVICE pcscd sleeps a second before it tells anybody */
    }
    /* A card that broke off is absent once, even if the next one waits already: else a swap would be hidden. */
    if (atomic_exchange(&r->broken, 0)) {
        close_fd(&r->card);
        return IFD_ICC_NOT_PRESENT;
    }
    if (r->card >= 0) {
        ssize_t heard = recv(r->card, &peeked, 1, MSG_PEEK | MSG_DONTWAIT);
        if (heard > 0 || (heard < 0 && (errno == EAGAIN || errno == EINTR)))
            return IFD_ICC_PRESENT;
        close_fd(&r->card);
        return IFD_ICC_NOT_PRESENT;
    }
    /* While a card is powered pcscd asks twice after each wait and drops the first answer. So a card is let in only
       after a wait has seen it: an absence lasts from one wait to the next. */
    if (!r->knocked && !(r->polled && poll(&door, 1, 0) > 0))
        return IFD_ICC_NOT_PRESENT;
    r->knocked = 0;
    r->card = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
    if (r->card < 0)
        return IFD_ICC_NOT_PRESENT;
    setsockopt(r->card, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(r->card, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return IFD_ICC_PRESENT;
}

/* --- capabilities -------------------------------------------------------------------------------------------- */

static RESPONSECODE tell_byte(PDWORD length, PUCHAR value, unsigned char byte)
{
    if (*length < 1)
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    *value = byte;
    *length = 1;
    return IFD_SUCCESS;
}

static RESPONSECODE tell_function(PDWORD length, PUCHAR value, const void *pointer, size_t size)
{
    if (*length < size)
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    memcpy(value, pointer, size);
    *length = size;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD lun, DWORD tag, PDWORD length, PUCHAR value)
{
    static RESPONSECODE (*const waiter)(DWORD, int) = wait_for_event;
    static RESPONSECODE (*const stopper)(DWORD) = stop_waiting;

    if (reader_of(lun)->polled && (tag == TAG_IFD_POLLING_THREAD_WITH_TIMEOUT || tag == TAG_IFD_STOP_POLLING_THREAD))
        tag = 0;
    switch (tag) {
    case TAG_IFD_ATR:
        return fetch_atr(reader_of(lun), value, length);
    case TAG_IFD_SLOTS_NUMBER:
        return tell_byte(length, value, 1);
    case TAG_IFD_SIMULTANEOUS_ACCESS:
        return tell_byte(length, value, READERS);
    case TAG_IFD_THREAD_SAFE: /* each reader has its own state */
        return tell_byte(length, value, 1);
    case TAG_IFD_SLOT_THREAD_SAFE:
    case TAG_IFD_POLLING_THREAD_KILLABLE:
        return tell_byte(length, value, 0);
    case TAG_IFD_POLLING_THREAD_WITH_TIMEOUT:
        return tell_function(length, value, &waiter, sizeof waiter);
    case TAG_IFD_STOP_POLLING_THREAD:
        return tell_function(length, value, &stopper, sizeof stopper);
    default:
        *length = 0;
        return IFD_ERROR_TAG;
    }
}

RESPONSECODE IFDHSetCapabilities(DWORD lun, DWORD tag, DWORD length, PUCHAR value)
{
    (void)lun, (void)tag, (void)length, (void)value;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3)
{
    (void)lun, (void)protocol, (void)flags, (void)pts1, (void)pts2, (void)pts3;
    return IFD_SUCCESS;
}

/* --- card ---------------------------------------------------------------------------------------------------- */

RESPONSECODE IFDHPowerICC(DWORD lun, DWORD action, PUCHAR atr, PDWORD length)
{
    struct reader *r = reader_of(lun);

    if (unplugged(r))
        return IFD_NO_SUCH_DEVICE;
    if (action == IFD_POWER_DOWN) {
        command(r, OFF); /* a card that has left is powered down, too */
        return IFD_SUCCESS;
    }
    if (command(r, action == IFD_RESET ? RESET : ON) < 0) {
        *length = 0;
        return IFD_ERROR_POWER_ACTION;
    }
    return fetch_atr(r, atr, length);
}

/* --- exchange ------------------------------------------------------------------------------------------------ */

RESPONSECODE IFDHTransmitToICC(DWORD lun, SCARD_IO_HEADER send_pci, PUCHAR apdu, DWORD apdu_length, PUCHAR answer,
                               PDWORD answer_length, PSCARD_IO_HEADER receive_pci)
{
    struct reader *r = reader_of(lun);
    int size = unplugged(r) ? LOST : (int)obey_acr122(r->signals, apdu, apdu_length, answer, *answer_length);
    if (size == 0)
        size = talk(r, apdu, apdu_length, answer, *answer_length);

    if (size < 0) {
        *answer_length = 0;
        if (size == MUTE)
            return IFD_RESPONSE_TIMEOUT;
        return unplugged(r) ? IFD_NO_SUCH_DEVICE : IFD_COMMUNICATION_ERROR;
    }
    *answer_length = (DWORD)size;
    if (receive_pci != NULL)
        receive_pci->Protocol = send_pci.Protocol;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHControl(DWORD lun, DWORD code, PUCHAR said, DWORD length, PUCHAR answer, DWORD room, LPDWORD returned)
{
    struct reader *r = reader_of(lun);
    DWORD size = 0;

    if (code != SCARD_CTL_CODE(1)) /* IOCTL_SMARTCARD_VENDOR_IFD_EXCHANGE of libccid */
        return IFD_ERROR_NOT_SUPPORTED;
    if (unplugged(r))
        return IFD_NO_SUCH_DEVICE;
    if (access(r->locked, F_OK) == 0)
        return IFD_COMMUNICATION_ERROR;
    size = obey_acr122(r->signals, said, length, answer, room);
    if (size == 0)
        size = obey_acr1252(r->signals, said, length, answer, room);
    if (returned != NULL)
        *returned = size;
    return size ? IFD_SUCCESS : IFD_COMMUNICATION_ERROR;
}
