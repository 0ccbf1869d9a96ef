/* The UDP links over the loopback interface: gateways are sockets of the test. Groups need a route that loopback does not have, and must
 * not leave the machine: the test makes a network of its own for them, where it may. */

#include "check.h"
#include "contract.h"
#include "udp.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEADLINE_MS 4000

static const bool both[UDP_LINKS] = {true, true};
static const bool none[UDP_LINKS] = {false, false};
static const int on = 1;

#define LOCAL_ROUTE 0x80000000u /* RTF_LOCAL of <linux/ipv6_route.h>, which does not go with <net/route.h> */
#define V4_GROUP "239.255.84.2"
#define V6_GROUP "ff02::5461"

typedef struct {
    int socket;
    UdpAddress at;
    char port[6];
} Gateway;

static uint16_t port_of(const UdpAddress *address) {
    return ntohs(address->at.any.sa_family == AF_INET6 ? address->at.v6.sin6_port : address->at.v4.sin_port);
}

/* A socket at `host`, with any port when `port` is 0. */
static Gateway make_gateway(const char *host, uint16_t port) {
    Gateway gateway = {.at.length = sizeof gateway.at.at};
    bool v6 = strchr(host, ':');
    gateway.socket = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct timeval deadline = {.tv_sec = DEADLINE_MS / 1000};
    (void)setsockopt(gateway.socket, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
    (void)setsockopt(gateway.socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(gateway.socket, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    UdpAddress address = {.at.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}, .length = sizeof address.at.v4};
    if (v6) address = (UdpAddress){.at.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}, .length = sizeof address.at.v6};
    if (v6) (void)inet_pton(AF_INET6, host, &address.at.v6.sin6_addr);
    else (void)inet_pton(AF_INET, host, &address.at.v4.sin_addr);
    if (bind(gateway.socket, &address.at.any, address.length) != 0) abort();
    if (getsockname(gateway.socket, &gateway.at.at.any, &gateway.at.length) != 0) abort();
    (void)snprintf(gateway.port, sizeof gateway.port, "%u", (unsigned)port_of(&gateway.at));
    return gateway;
}

static Lookup lookup; /* of the address that is under test */

static void init(Udp *udp, const char *host, const char *port, bool search) {
    lookup_init(&lookup, host, port, SOCK_DGRAM);
    udp_init(udp, search);
}

static int knows_nothing(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **to) {
    (void)host, (void)port, (void)hints, (void)to;
    return EAI_NONAME;
}

/* Waits as main.c does, for one piece of news of `link`. */
static LinkNews next_news(Udp *udp, int32_t link, const bool *room) {
    for (int turn = 0; turn < 100; turn++) {
        struct pollfd wishes[UDP_POLLS];
        udp_wants(udp, wishes, room);
        if (poll(wishes, UDP_POLLS, udp_due(udp, link) ? 0 : DEADLINE_MS) == 0 && !udp_due(udp, link)) break;
        LinkNews news = udp_news(udp, link, wishes);
        if (news.what || news.readable) return news;
    }
    return (LinkNews){.what = 0};
}

static bool opens(Udp *udp, int32_t link, int32_t choice) {
    return udp_open(udp, link, &lookup, (uint32_t)choice) == 0 && next_news(udp, link, none).what == LINK_OPENED;
}

/* The next datagram, or -1 when the link closed for `reason`. */
static int32_t next_datagram(Udp *udp, int32_t link, void *to, uint32_t room, int32_t *reason) {
    for (int turn = 0; turn < 100; turn++) {
        if (!next_news(udp, link, both).readable) return 0;
        int32_t length = udp_receive(udp, link, to, room, reason);
        if (length) return length;
    }
    return 0;
}

/* What the gateway hears, and from where. */
static ssize_t hears(const Gateway *gateway, char *to, size_t size, UdpAddress *from) {
    *from = (UdpAddress){.length = sizeof from->at};
    return recvfrom(gateway->socket, to, size, 0, &from->at.any, &from->length);
}

static void answers(const Gateway *gateway, const char *text, size_t length, const UdpAddress *to) {
    if (sendto(gateway->socket, text, length, 0, &to->at.any, to->length) != (ssize_t)length) abort();
}

static void test_gateway(const char *host, const char *name) {
    Udp udp;
    UdpAddress board;
    UdpAddress again;
    char bytes[64];
    int32_t reason = 0;
    Gateway gateway = make_gateway(host, 0);
    Gateway stranger = make_gateway(host, 0);
    init(&udp, host, gateway.port, false);

    check_begin(name);
    CHECK(udp_open(&udp, 0, &lookup, 0) == 0, "cannot be opened");
    CHECK(udp_send(&udp, 0, (const uint8_t *)"a", 1) == 0, "sends before it is told to be open");
    CHECK(next_news(&udp, 0, none).what == LINK_OPENED, "not opened");
    CHECK(udp_send(&udp, 0, (const uint8_t *)"\x02\x16", 2) == 2, "not taken");
    CHECK(hears(&gateway, bytes, sizeof bytes, &board) == 2 && memcmp(bytes, "\x02\x16", 2) == 0, "does not arrive");
    answers(&stranger, "no", 2, &board);
    answers(&gateway, "", 0, &board);
    answers(&gateway, "one", 3, &board);
    answers(&gateway, "two", 3, &board);
    CHECK(udp_receive(&udp, 0, (uint8_t *)bytes, 0, &reason) == 0, "a datagram without room");
    CHECK(next_datagram(&udp, 0, bytes, sizeof bytes, &reason) == 3 && memcmp(bytes, "one", 3) == 0, "another than the first");
    CHECK(next_datagram(&udp, 0, bytes, sizeof bytes, &reason) == 3 && memcmp(bytes, "two", 3) == 0, "another than the second");
    answers(&gateway, "123456789", 9, &board);
    CHECK(next_datagram(&udp, 0, bytes, 4, &reason) == 9 && memcmp(bytes, "1234", 4) == 0 && memcmp(bytes + 4, "5", 1) != 0, "not cut");
    CHECK(udp_open(&udp, 1, &lookup, 0) == -REASON_ADDRESS && udp_remember(&udp, 0, NULL, 0) == -REASON_ADDRESS, "searches without being told to");

    CHECK(opens(&udp, 0, 7) && udp_send(&udp, 0, (const uint8_t *)"x", 1) == 1 && hears(&gateway, bytes, sizeof bytes, &again) == 1, "not opened again");
    CHECK(port_of(&board) != port_of(&again), "the same socket again");
    udp_close(&udp, 0);
    udp_close(&udp, 0);
    CHECK(udp_send(&udp, 0, (const uint8_t *)"x", 1) == 0 && !udp_due(&udp, 0) && udp.links[0].socket < 0, "a closed link lives");
    (void)close(gateway.socket);
    (void)close(stranger.socket);
    check_end();
}

static void test_refused(void) {
    Udp udp;
    UdpAddress board;
    char bytes[16];
    int32_t reason = 0;
    Gateway gateway = make_gateway("127.0.0.1", 0);
    init(&udp, "127.0.0.1", gateway.port, false);
    check_begin("where nobody listens, the link closes as refused, after what arrived before");
    CHECK(opens(&udp, 0, 0) && udp_send(&udp, 0, (const uint8_t *)"a", 1) == 1 && hears(&gateway, bytes, sizeof bytes, &board) == 1, "not open");
    answers(&gateway, "bye", 3, &board);
    (void)close(gateway.socket);
    CHECK(udp_send(&udp, 0, (const uint8_t *)"b", 1) == 1, "not taken");
    CHECK(next_datagram(&udp, 0, bytes, sizeof bytes, &reason) == 3 && memcmp(bytes, "bye", 3) == 0, "the last datagram is lost");
    CHECK(next_datagram(&udp, 0, bytes, sizeof bytes, &reason) == -1 && reason == REASON_REFUSED, "reason %d", (int)reason);
    CHECK(!udp_due(&udp, 0) && udp.links[0].socket < 0, "not closed");
    check_end();

    check_begin("a send that hears of the refusal first");
    CHECK(opens(&udp, 0, 0) && udp_send(&udp, 0, (const uint8_t *)"a", 1) == 1, "not open");
    struct pollfd wish = {.fd = udp.links[0].socket, .events = POLLIN};
    (void)poll(&wish, 1, DEADLINE_MS);
    CHECK(udp_send(&udp, 0, (const uint8_t *)"b", 1) == -REASON_REFUSED && udp_due(&udp, 0), "taken");
    CHECK(next_datagram(&udp, 0, bytes, sizeof bytes, &reason) == -1 && reason == REASON_REFUSED, "reason %d", (int)reason);
    check_end();

    check_begin("a name that is not known");
    lookup_resolve = knows_nothing;
    init(&udp, "nowhere", "1884", true);
    CHECK(udp_open(&udp, 1, &lookup, 0) == 0 && udp.links[1].socket < 0, "not looked up");
    LinkNews news = next_news(&udp, 1, none);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_NAME && !udp.links[1].looking, "news %d %d", (int)news.what, (int)news.reason);
    lookup_resolve = getaddrinfo;
    check_end();
}

/* Two boards search at `searched`, an address of many or of one, where a gateway sits. */
static void test_search(const char *name, const char *host, const char *searched, const char *gateway_host, bool shared) {
    Udp boards[2];
    UdpAddress from[2];
    char bytes[16];
    int32_t reason = 0;
    Gateway gateway = make_gateway(gateway_host, 0);
    Gateway speaker = make_gateway(host, 0);
    UdpAddress target;
    check_begin(name);
    if (strcmp(searched, V6_GROUP "%lo") == 0) {
        struct ipv6_mreq wish = {.ipv6mr_interface = if_nametoindex("lo")};
        (void)inet_pton(AF_INET6, V6_GROUP, &wish.ipv6mr_multiaddr);
        CHECK(setsockopt(gateway.socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, &wish, sizeof wish) == 0, "the gateway cannot join");
    }
    if (strcmp(searched, V4_GROUP) == 0) {
        struct ip_mreqn wish = {.imr_multiaddr.s_addr = inet_addr(V4_GROUP)};
        CHECK(setsockopt(gateway.socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wish, sizeof wish) == 0, "the gateway cannot join");
    }
    for (int i = 0; i < 2; i++) {
        init(&boards[i], searched, gateway.port, true);
        CHECK(opens(&boards[i], 1, 0), "board %d cannot search", i);
        CHECK(!boards[i].words && (boards[i].shared >= 0) == shared, "%s", boards[i].words ? boards[i].words : "hears too much or too little");
    }
    target = boards[0].searched;
    CHECK(udp_remember(&boards[0], 0, NULL, 0) == -REASON_ADDRESS, "a sender before the first datagram");

    CHECK(udp_send(&boards[0], 1, (const uint8_t *)"\x03\x01\x00", 3) == 3, "not taken");
    CHECK(hears(&gateway, bytes, sizeof bytes, &from[0]) == 3 && memcmp(bytes, "\x03\x01", 3) == 0, "the gateway does not hear it");
    if (shared) CHECK(next_datagram(&boards[1], 1, bytes, sizeof bytes, &reason) == 3, "the other board does not hear it");
    answers(&gateway, "\x03\x02\x07", 3, &from[0]);
    CHECK(next_datagram(&boards[0], 1, bytes, sizeof bytes, &reason) == 3 && memcmp(bytes, "\x03\x02\x07", 3) == 0, "the answer, or its own search");
    CHECK(udp_open(&boards[0], 0, &lookup, 0) == -REASON_ADDRESS, "opens a slot that is empty");
    CHECK(udp_remember(&boards[0], 0, NULL, 0) == 0 && udp_remember(&boards[0], 3, NULL, 0) == 0, "not remembered");
    CHECK(udp_remember(&boards[0], 4, NULL, 0) == -REASON_ADDRESS && udp_remember(&boards[0], -1, NULL, 0) == -REASON_ADDRESS, "a slot too many");
    CHECK(opens(&boards[0], 0, 3), "the gateway cannot be reached");
    CHECK(udp_send(&boards[0], 0, (const uint8_t *)"hello", 5) == 5 && hears(&gateway, bytes, sizeof bytes, &from[1]) == 5, "another gateway");
    CHECK(port_of(&from[0]) != port_of(&from[1]), "link 0 sends from the searching socket");

    for (int i = 0; i < 2 && shared; i++) {
        if (i == 0) answers(&speaker, "\x05\x00\x01\x00\x09", 5, &target);
        CHECK(next_datagram(&boards[i], 1, bytes, sizeof bytes, &reason) == 5 && memcmp(bytes, "\x05\x00\x01\x00\x09", 5) == 0,
              "board %d does not hear the advertisement", i);
        CHECK(udp_remember(&boards[i], 1, NULL, 0) == 0 && port_of(&boards[i].gateways[1]) == port_of(&speaker.at), "another sender");
    }
    for (int i = 0; i < 2; i++) {
        udp_close(&boards[i], 0);
        udp_close(&boards[i], 1);
        CHECK(boards[i].shared < 0 && boards[i].links[0].socket < 0 && boards[i].links[1].socket < 0, "a socket stays open");
    }
    (void)close(gateway.socket);
    (void)close(speaker.socket);
    check_end();
}

static void set_v4(struct sockaddr *to, const char *address) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    (void)inet_pton(AF_INET, address, &v4.sin_addr);
    memcpy(to, &v4, sizeof v4);
}

/* A network of this process alone, in which the loopback interface carries groups and broadcasts. False where that is not allowed. */
static bool own_network(void) {
    char device[] = "lo";
    struct ifreq flags = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_MULTICAST};
    struct ifreq address = {.ifr_name = "lo:1"}; /* the sender of a group's datagram; 127.0.0.1 is none */
    struct rtentry all = {.rt_flags = RTF_UP, .rt_dev = device};
    struct in6_rtmsg groups = {.rtmsg_dst_len = 8, .rtmsg_flags = RTF_UP | LOCAL_ROUTE, .rtmsg_metric = 1};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    int v4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int v6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set_v4(&address.ifr_addr, "192.0.2.1");
    set_v4(&all.rt_dst, "0.0.0.0");
    set_v4(&all.rt_genmask, "0.0.0.0");
    groups.rtmsg_ifindex = (int)if_nametoindex("lo");
    (void)inet_pton(AF_INET6, "ff00::", &groups.rtmsg_dst);
    bool made = ioctl(v4, SIOCSIFFLAGS, &flags) == 0 && ioctl(v4, SIOCSIFADDR, &address) == 0 && ioctl(v4, SIOCADDRT, &all) == 0 &&
                ioctl(v6, SIOCADDRT, &groups) == 0;
    (void)close(v4);
    (void)close(v6);
    return made;
}

static void test_taken_port(void) {
    Udp udp;
    Gateway greedy = make_gateway("0.0.0.0", 0);
    int off = 0;
    (void)setsockopt(greedy.socket, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
    check_begin("a port that another program keeps for itself leaves the search alone");
    init(&udp, "127.255.255.255", greedy.port, true);
    CHECK(opens(&udp, 1, 0) && udp.shared < 0, "not opened");
    CHECK(udp.words && strstr(udp.words, "it has to set SO_REUSEADDR"), "%s", udp.words ? udp.words : "no word of it");
    CHECK(udp_send(&udp, 1, (const uint8_t *)"\x03\x01\x00", 3) == 3, "does not search");
    udp.words = NULL;
    CHECK(opens(&udp, 1, 0) && !udp.words, "told twice");
    udp_close(&udp, 1);
    (void)close(greedy.socket);
    check_end();
}

/* GwAdd of a GWINFO: what is remembered of it, port 0: refused. */
static const struct {
    const char *name;
    const char *bytes;
    int32_t length;
    const char *host;
    uint16_t port;
} told[] = {
    {"an IPv4 address", "\x7f\x00\x00\x09", 4, "127.0.0.9", 1884},
    {"an IPv4 address with its port", "\x7f\x00\x00\x09\x27\x10", 6, "127.0.0.9", 10000},
    {"an IPv6 address", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16, "::1", 1884},
    {"an IPv6 address with its port", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x27\x10", 18, "2001:db8::1", 10000},
    {"port 0", "\x7f\x00\x00\x09\x00\x00", 6, NULL, 0},
    {"no IPv4 address", "\0\0\0\0", 4, NULL, 0},
    {"no IPv6 address", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, NULL, 0},
    {"a group", "\xef\x01\x01\x01", 4, NULL, 0},
    {"an IPv6 group", "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 16, NULL, 0},
    {"the broadcast address", "\xff\xff\xff\xff", 4, NULL, 0},
    {"one byte", "\x7f", 1, NULL, 0},
    {"five bytes", "\x7f\x00\x00\x09\x01", 5, NULL, 0},
    {"an address of 8 bytes", "\x7f\x00\x00\x09\x01\x01\x01\x01", 8, NULL, 0},
    {"17 bytes", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x27", 17, NULL, 0},
    {"19 bytes", "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x27\x10\x01", 19, NULL, 0},
};

static void test_told(void) {
    Udp udp;
    init(&udp, "127.255.255.255", "1884", true);
    udp.searched = (UdpAddress){.at.v4 = {.sin_family = AF_INET, .sin_port = htons(1884)}, .length = sizeof udp.searched.at.v4};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        char host[INET6_ADDRSTRLEN] = "";
        char name[80];
        (void)snprintf(name, sizeof name, "a client tells of a gateway: %s", told[i].name);
        check_begin(name);
        int32_t answer = udp_remember(&udp, 2, (const uint8_t *)told[i].bytes, told[i].length);
        CHECK(answer == (told[i].host ? 0 : -REASON_ADDRESS), "%d", (int)answer);
        const UdpAddress *kept = &udp.gateways[2];
        if (told[i].host && answer == 0) {
            bool v6 = kept->at.any.sa_family == AF_INET6;
            (void)inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? (const void *)&kept->at.v6.sin6_addr : &kept->at.v4.sin_addr, host, sizeof host);
            CHECK(strcmp(host, told[i].host) == 0 && port_of(kept) == told[i].port, "%s, port %u", host, (unsigned)port_of(kept));
        }
        check_end();
    }
}

int main(void) {
    test_gateway("127.0.0.1", "a gateway over IPv4");
    test_gateway("::1", "a gateway over IPv6");
    test_refused();
    test_search("gateways are searched by broadcast", "127.0.0.1", "127.255.255.255", "0.0.0.0", true);
    test_search("gateways are searched at one host", "127.0.0.1", "127.0.0.1", "127.0.0.1", false);
    test_taken_port();
    test_told();
    if (own_network()) {
        test_search("gateways are searched in a group", "192.0.2.1", V4_GROUP, "0.0.0.0", true);
        test_search("gateways are searched in an IPv6 group", "::1", V6_GROUP "%lo", "::", true);
        test_search("gateways are searched by limited broadcast", "192.0.2.1", "255.255.255.255", "0.0.0.0", true);
    } else printf("groups are not tested: this machine allows no network of one's own\n");
    return CHECK_STATUS();
}
