#include "link_news.h"

#include "contract.h"

#include <errno.h>

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
