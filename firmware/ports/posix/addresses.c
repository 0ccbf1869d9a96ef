#include "addresses.h"

#include "contract.h"
#include "link_news.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

int32_t address_look_up(const char *host, const char *port, int type, int32_t choice, HostAddress *to) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = type};
    struct addrinfo *addresses = NULL;
    int error = getaddrinfo(host, port, &hints, &addresses);
    if (error == EAI_SYSTEM) return -link_reason(errno);
    if (error) return error == EAI_MEMORY ? -REASON_OTHER : -REASON_NAME;
    uint32_t count = 0;
    for (const struct addrinfo *address = addresses; address; address = address->ai_next) count++;
    uint32_t chosen = count ? (uint32_t)choice % count : 0;
    const struct addrinfo *address = addresses;
    while (address && chosen--) address = address->ai_next;
    int32_t answer = address && address->ai_addrlen <= sizeof to->at ? 0 : -REASON_NAME;
    if (answer == 0) {
        *to = (HostAddress){.length = address->ai_addrlen};
        memcpy(&to->at, address->ai_addr, address->ai_addrlen);
    }
    freeaddrinfo(addresses);
    return answer;
}
