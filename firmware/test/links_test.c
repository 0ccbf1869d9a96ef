/* One way to open, send, close and receive, whichever kind of link the address asks for. */

#include "check.h"
#include "contract.h"
#include "links.h"

#include <stdlib.h>
#include <unistd.h>

#define DEADLINE_MS 4000

static Settings settings;
static Links links;

static void address(const char *url) {
    settings = (Settings){0};
    CHECK(settings_set(&settings, "broker", url, (uint32_t)strlen(url), "test", 0), "%s", settings.error);
    links_init(&links, &settings, NULL);
}

/* The news of link 0 after one wait, as main.c waits. */
static LinkNews next_news(void) {
    static const bool rooms[LINKS] = {true, true};
    for (int turn = 0; turn < 100; turn++) {
        struct pollfd polls[LINKS_POLLS];
        links_wants(&links, polls, rooms);
        (void)poll(polls, LINKS_POLLS, (int)links_wait(&links, rooms, DEADLINE_MS));
        LinkNews news = links_news(&links, 0, polls, 0);
        if (news.what || news.readable) return news;
    }
    return (LinkNews){.what = 0};
}

static const struct {
    const char *url;
    int32_t count;
    int32_t opened; /* what link 0 answers, and link 1 */
    int32_t searched;
    int32_t remembered;
} kinds[] = {
    {"mqtt://127.0.0.1:1", 1, 0, -REASON_ADDRESS, -REASON_ADDRESS},
    {"mqtt-sn://127.0.0.1:1", 1, 0, -REASON_ADDRESS, -REASON_ADDRESS},
    {"mqtt-sn://127.0.0.1:1?search", 2, -REASON_ADDRESS, 0, 0},
    {"mqtt-sn://127.255.255.255:18840?search", 2, -REASON_ADDRESS, 0, 0},
    {"mqtt-sn+serial:///nowhere/tty", 1, -REASON_UNREACHABLE, -REASON_ADDRESS, -REASON_ADDRESS},
};

static void test_kinds(void) {
    static const uint8_t told[4] = {127, 0, 0, 1};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        check_begin(kinds[i].url);
        address(kinds[i].url);
        CHECK(links_count(&links) == kinds[i].count, "%d links", (int)links_count(&links));
        for (int32_t link = -1; link <= LINKS; link++) {
            int32_t answer = links_open(&links, link, 0, 0);
            int32_t expected = link == 0 ? kinds[i].opened : link == 1 ? kinds[i].searched : -REASON_ADDRESS;
            CHECK(answer == expected, "link %d answers %d", (int)link, (int)answer);
        }
        CHECK(links_remember(&links, 0, told, 4) == kinds[i].remembered, "another answer");
        CHECK(links_remember(&links, 1, told, 0) == -REASON_ADDRESS, "a sender before any datagram");
        CHECK(kinds[i].count == 1 || links_open(&links, 0, 0, 0) == 0, "what was remembered cannot be opened");
        const char *words = links_words(&links);
        CHECK(!words == (links.carrier != CARRIER_SERIAL), "%s", words ? words : "no word of it");
        CHECK(!links_words(&links), "told twice");
        for (int32_t link = -1; link <= LINKS; link++) links_close(&links, link, 0);
        CHECK(!links_busy(&links), "still busy");
        check_end();
    }
}

static void test_refused(void) {
    static const char *const urls[] = {"mqtt://127.0.0.1:1", "mqtt-sn://127.0.0.1:1"};
    for (int i = 0; i < 2; i++) {
        uint8_t to[8];
        check_begin(i ? "over UDP nobody listens: told after a send" : "over TCP nobody listens: told at once");
        address(urls[i]);
        CHECK(links_open(&links, 0, 0, 0) == 0, "not opened");
        LinkNews news = next_news();
        if (i) {
            CHECK(news.what == LINK_OPENED && links_send(&links, 0, (const uint8_t *)"x", 1) == 1, "not open");
            news = next_news();
            CHECK(news.readable && links_receive(&links, 0, to, sizeof to, &news.reason) == -1, "not closed");
        } else CHECK(news.what == LINK_CLOSED, "not closed");
        CHECK(news.reason == REASON_REFUSED, "reason %d", (int)news.reason);
        check_end();
    }
}

/* Brokers in their order: what is opened, and which of the three is tried. */
static void test_order(void) {
    static const struct {
        int32_t choice;
        int64_t now;
        const char *port;
    } openings[] = {
        {0, 0, "1"}, {1, 500, "2"}, {2, 1500, "3"}, {3, 3500, "1"}, {4, 7500, "2"}, /* round after round */
        {0, 7500 + LINKS_KEPT_MS, "2"},                                             /* which worked, and is kept */
        {0, 7500 + 2 * LINKS_KEPT_MS - 1, "3"},                                     /* it accepts and drops */
        {1, 7500 + 9 * LINKS_KEPT_MS, "1"},                                         /* an attempt that took long is none that worked */
    };
    check_begin("several brokers are tried in their order, and one that works is kept");
    address("mqtt://127.0.0.1:1 mqtt://127.0.0.1:2 mqtt://127.0.0.1:3");
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        CHECK(links_open(&links, 0, openings[i].choice, openings[i].now) == 0, "not opened");
        CHECK(strcmp(links_server(&links)->port, openings[i].port) == 0, "opening %zu at port %s", i, links_server(&links)->port);
        LinkNews news = next_news();
        CHECK(news.what == LINK_CLOSED && news.reason == REASON_REFUSED, "news %d %d", (int)news.what, (int)news.reason);
    }
    check_end();
}

int main(void) {
    test_kinds();
    test_order();
    test_refused();
    return CHECK_STATUS();
}
