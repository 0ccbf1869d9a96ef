/* For LD_PRELOAD: a resolver that never answers a name, as where no name server does. */

#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *restrict host, const char *restrict port, const struct addrinfo *restrict hints, struct addrinfo **restrict to) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    while (!(hints && hints->ai_flags & AI_NUMERICHOST)) (void)pause();
    return real(host, port, hints, to);
}
