#include "addresses.h"

#include "contract.h"
#include "link_news.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { IDLE, UNDER_WAY, ANSWERED };

int (*lookup_resolve)(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **to) = getaddrinfo;

static int32_t resolve(Lookup *lookup, int flags) {
    const struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = lookup->type};
    struct addrinfo *addresses = NULL;
    lookup->count = 0;
    int error = lookup_resolve(lookup->host, lookup->port, &hints, &addresses);
    if (error == EAI_SYSTEM) return -link_reason(errno);
    if (error) return error == EAI_MEMORY ? -REASON_OTHER : -REASON_NAME;
    for (const struct addrinfo *address = addresses; address && lookup->count < LOOKUP_ADDRESSES; address = address->ai_next) {
        HostAddress *found = &lookup->found[lookup->count];
        if (address->ai_addrlen > sizeof found->at) continue;
        *found = (HostAddress){.length = address->ai_addrlen};
        memcpy(&found->at, address->ai_addr, address->ai_addrlen);
        lookup->count++;
    }
    if (addresses) freeaddrinfo(addresses);
    return lookup->count ? 0 : -REASON_NAME;
}

static void *look_up(void *context) {
    Lookup *lookup = context;
    uint64_t count;
    for (;;) {
        ssize_t size = read(lookup->asked, &count, sizeof count);
        if (size < 0 && errno != EINTR) return NULL;
        if (size != sizeof count) continue;
        lookup->answer = resolve(lookup, 0);
        atomic_store(&lookup->stage, ANSWERED);
        (void)!write(lookup->told, &(uint64_t){1}, sizeof count);
    }
}

static bool start_thread(Lookup *lookup) {
    pthread_t thread;
    pthread_attr_t attributes;
    lookup->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    lookup->asked = eventfd(0, EFD_CLOEXEC);
    if (lookup->told < 0 || lookup->asked < 0 || pthread_attr_init(&attributes) != 0) return false;
    bool started = pthread_attr_setstacksize(&attributes, LOOKUP_STACK_BYTES) == 0 &&
                   pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                   pthread_create(&thread, &attributes, look_up, lookup) == 0;
    (void)pthread_attr_destroy(&attributes);
    return started;
}

void lookup_init(Lookup *lookup, const char *host, const char *port, int type) {
    *lookup = (Lookup){.host = host, .port = port, .type = type, .asked = -1, .told = -1};
    /* With a colon it is an address of IPv6, though its zone may not be there yet. */
    lookup->numeric = strchr(host, ':') || resolve(lookup, AI_NUMERICHOST) == 0;
    if (!lookup->numeric && !start_thread(lookup)) lookup->asked = -1;
}

void lookup_begin(Lookup *lookup) {
    if (lookup->numeric) lookup->answer = resolve(lookup, AI_NUMERICHOST);
    else if (lookup->asked < 0) lookup->answer = -REASON_OTHER;
    else if (atomic_load(&lookup->stage) != UNDER_WAY) {
        atomic_store(&lookup->stage, UNDER_WAY);
        (void)!write(lookup->asked, &(uint64_t){1}, sizeof(uint64_t));
    }
}

int32_t lookup_take(Lookup *lookup, uint32_t number, HostAddress *to) {
    uint64_t count;
    if (lookup->asked >= 0) {
        (void)!read(lookup->told, &count, sizeof count); /* first: an answer that comes now wakes us again */
        if (atomic_load(&lookup->stage) != ANSWERED) return LOOKUP_PENDING;
        atomic_store(&lookup->stage, IDLE);
    }
    if (lookup->answer == 0) *to = lookup->found[number % lookup->count];
    return lookup->answer;
}
