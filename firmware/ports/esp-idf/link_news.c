#include "link_news.h"

#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int32_t link_reason(int error) {
    switch (error) {
    case ECONNREFUSED:
        return REASON_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case ETIMEDOUT:
        return REASON_UNREACHABLE;
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case EPIPE:
        return REASON_RESET;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EINVAL:
        return REASON_ADDRESS;
    default:
        return REASON_OTHER;
    }
}

int link_socket(int family, int type) {
    int made = socket(family, type, 0);
    if (made < 0) return -1;
    int flags = fcntl(made, F_GETFL, 0);
    if (flags >= 0 && fcntl(made, F_SETFL, flags | O_NONBLOCK) == 0) return made;
    int error = errno;
    (void)close(made);
    errno = error;
    return -1;
}
