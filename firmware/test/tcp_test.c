/* A name is looked up beside the loop: whatever the resolver does, nothing waits for it. */

#include "check.h"
#include "contract.h"
#include "tcp.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_MS 4000

/* A resolver that answers when it is told to, with the system's answer for 127.0.0.1 or an error. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int allowed;
static int asked;
static int fault;

static int slow(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **to) {
    if (hints->ai_flags & AI_NUMERICHOST) return getaddrinfo(host, port, hints, to);
    (void)pthread_mutex_lock(&mutex);
    asked++;
    (void)pthread_cond_broadcast(&changed);
    while (allowed == 0) (void)pthread_cond_wait(&changed, &mutex);
    allowed--;
    int error = fault;
    (void)pthread_mutex_unlock(&mutex);
    return error ? error : getaddrinfo("127.0.0.1", port, hints, to);
}

static void answers(int error) {
    (void)pthread_mutex_lock(&mutex);
    fault = error;
    allowed++;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&mutex);
}

static void is_asked(int count) {
    (void)pthread_mutex_lock(&mutex);
    while (asked < count) (void)pthread_cond_wait(&changed, &mutex);
    (void)pthread_mutex_unlock(&mutex);
}

static LinkNews next_news(Tcp *tcp, int wait) {
    for (int turn = 0; turn < 100; turn++) {
        struct pollfd polls[TCP_POLLS];
        tcp_wants(tcp, polls, true);
        if (poll(polls, TCP_POLLS, wait) == 0) break;
        LinkNews news = tcp_news(tcp, polls, 0);
        if (news.what || news.readable) return news;
    }
    return (LinkNews){.what = 0};
}

static int listener(char *port, size_t size) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int file = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&at, length) != 0 || listen(file, 8) != 0) abort();
    if (getsockname(file, (struct sockaddr *)&at, &length) != 0) abort();
    (void)snprintf(port, size, "%u", (unsigned)ntohs(at.sin_port));
    return file;
}

int main(void) {
    static Lookup name;
    static Lookup other;
    Tcp tcp;
    char port[8];
    int32_t reason = 0;
    uint8_t byte;
    int server = listener(port, sizeof port);
    lookup_resolve = slow;
    lookup_init(&name, "broker.example", port, SOCK_STREAM);
    lookup_init(&other, "127.0.0.1", port, SOCK_STREAM);
    tcp_init(&tcp);

    check_begin("a link whose name has no answer yet is opening, and takes nothing");
    CHECK(tcp_open(&tcp, &name, 0) == 0 && tcp.looking, "not looked up");
    is_asked(1);
    CHECK(next_news(&tcp, 20).what == 0, "news of nothing");
    CHECK(tcp_send(&tcp, (const uint8_t *)"x", 1) == 0 && !tcp_busy(&tcp), "sends");
    check_end();

    check_begin("it can be given up for another address, at once");
    tcp_close(&tcp, 0);
    CHECK(!tcp.looking, "still looks");
    CHECK(tcp_open(&tcp, &other, 0) == 0 && next_news(&tcp, DEADLINE_MS).what == LINK_OPENED, "the other is not opened");
    answers(0);
    CHECK(next_news(&tcp, 50).what == 0 && tcp.open, "the answer that nobody wants closes it");
    check_end();

    check_begin("asked again, the name is looked up anew");
    CHECK(tcp_open(&tcp, &name, 3) == 0, "not looked up");
    is_asked(2);
    answers(0);
    CHECK(next_news(&tcp, DEADLINE_MS).what == LINK_OPENED, "not opened");
    check_end();

    check_begin("a lookup that is under way is not asked twice");
    CHECK(tcp_open(&tcp, &name, 0) == 0, "not looked up");
    is_asked(3);
    CHECK(tcp_open(&tcp, &name, 0) == 0 && tcp_open(&tcp, &name, 0) == 0, "not looked up");
    answers(0);
    CHECK(next_news(&tcp, DEADLINE_MS).what == LINK_OPENED && asked == 3, "asked %d times", asked);
    check_end();

    check_begin("a name that nobody knows closes the link by its reason");
    CHECK(tcp_open(&tcp, &name, 0) == 0, "not looked up");
    answers(EAI_NONAME);
    LinkNews news = next_news(&tcp, DEADLINE_MS);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_NAME, "news %d %d", (int)news.what, (int)news.reason);
    check_end();

    check_begin("so does one that has an answer and no listener");
    (void)close(server);
    CHECK(tcp_open(&tcp, &name, 0) == 0, "not looked up");
    answers(0);
    news = next_news(&tcp, DEADLINE_MS);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_REFUSED, "news %d %d", (int)news.what, (int)news.reason);
    CHECK(tcp_send(&tcp, (const uint8_t *)"x", 1) == 0 && tcp_receive(&tcp, &byte, 0, &reason) <= 0, "open");
    check_end();
    return CHECK_STATUS();
}
