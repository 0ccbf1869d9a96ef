/* The board's end of a line beside a host (line_host.c), on a sound wire: silence, flow, endings, epochs, datagrams, texts, wishes, noise. */

#include "check.h"
#include "contract.h"
#include "line.h"
#include "line_host.h"

#define SENT_BYTES 1500
#define TOLD_BYTES 1400
#define TURN_MS 5

static Line line;
static Host host;
static uint32_t now;
static uint8_t sent[SENT_BYTES], told[TOLD_BYTES], heard[TOLD_BYTES];
static uint32_t heard_bytes;

/* The module does nothing by itself. */
static void begin_quiet(void) {
    now = 0xffffff00u; /* it wraps soon */
    host_init(&host);
    host.bytes = told;
    host.ends_with = 0;
    line_init(&line, 0x1234);
}

/* `ms` pass, without the module. */
static void pass(uint32_t ms, bool host_there) {
    static uint8_t bytes[4096];
    for (uint32_t until = now + ms; (int32_t)(until - now) > 0; now += TURN_MS) {
        uint32_t count = line_take(&line, bytes, sizeof bytes, now);
        if (!host_there) continue;
        host_received(&host, bytes, count);
        host_step(&host, now);
        uint32_t took = line_received(&line, host.wire, host.wire_bytes);
        host.wire_bytes -= took;
        memmove(host.wire, host.wire + took, host.wire_bytes);
    }
}

static LineNews news_in(uint32_t ms, bool host_there) {
    LineNews news = line_news(&line);
    for (uint32_t i = 0; i < ms / TURN_MS && !news.what && !news.readable; i++) {
        pass(TURN_MS, host_there);
        news = line_news(&line);
    }
    return news;
}

static void open_quietly(void) {
    (void)line_open(&line, LINE_STREAM, 2);
    LineNews news = news_in(1000, true);
    CHECK(news.what == LINK_OPENED && host.choice == 2, "%d", (int)news.what);
}

static void test_silence(void) {
    check_begin("where nobody answers, the link closes after a while");
    begin_quiet();
    (void)line_open(&line, LINE_STREAM, 0);
    uint32_t began = now;
    LineNews news = news_in(60000, false);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_UNREACHABLE, "%d %d", (int)news.what, (int)news.reason);
    CHECK(now - began >= LINE_SILENCE_MS && now - began < LINE_SILENCE_MS + 100, "after %u ms", (unsigned)(now - began));
    CHECK(line.repeated > 4 && line.repeated < 12, "%u repetitions", (unsigned)line.repeated);
    CHECK(line_wait(&line, now) == INT32_MAX, "something is still to be done");
    check_end();

    check_begin("a host that is gone ends an open link after a while");
    begin_quiet();
    open_quietly();
    CHECK(line_send(&line, sent, 10) == 10, "not taken");
    began = now;
    news = news_in(60000, false);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_RESET && now - began < LINE_SILENCE_MS + 100, "%d %d", (int)news.what, (int)news.reason);
    check_end();

    check_begin("a host that begins to speak is sent again at once what waits for an answer, and once");
    begin_quiet();
    (void)line_open(&line, LINE_STREAM, 0);
    pass(TURN_MS, false);
    static const uint8_t hello[] = {0, 0, 1, 0, 0, 0, 0, 9, 0, 0, 0, 0};
    uint8_t frame[FRAME_BYTES(sizeof hello)];
    (void)line_received(&line, frame, frame_encode(frame, sizeof frame, hello, sizeof hello));
    pass(100, false);
    CHECK(line.repeated == 1, "%u times", (unsigned)line.repeated);
    check_end();
    check_begin("an idle link wants nothing, and says nothing");
    begin_quiet();
    open_quietly();
    pass(100, true);
    CHECK(line_wait(&line, now) == INT32_MAX && !line_busy(&line), "%d", (int)line_wait(&line, now));
    check_end();
}

static void test_flow(void) {
    check_begin("what the host cannot pass on waits, and the link outlives it");
    begin_quiet();
    open_quietly();
    host.full = true;
    uint32_t took = 0;
    for (int i = 0; i < 100; i++) {
        took += (uint32_t)line_send(&line, sent + took, 100);
        pass(1000, true);
    }
    CHECK(took == LINE_OUT_BYTES && host.log_bytes == 0, "%u bytes taken", (unsigned)took);
    CHECK(line.repeated < 60, "%u repetitions in 100 s", (unsigned)line.repeated);
    host.full = false;
    LineNews news = news_in(3000, true);
    CHECK(news.what == LINK_WRITABLE, "%d", (int)news.what);
    pass(3000, true);
    CHECK(host.log_bytes == LINE_OUT_BYTES && memcmp(host.log, sent, LINE_OUT_BYTES) == 0, "%u bytes", (unsigned)host.log_bytes);
    check_end();

    check_begin("what the module does not take is not acknowledged, and waits with the host");
    begin_quiet();
    host.bytes_count = TOLD_BYTES;
    open_quietly();
    pass(60000, true);
    CHECK(host.bytes_at == 0 && host.flying, "%u bytes acknowledged", (unsigned)host.bytes_at);
    heard_bytes = 0;
    for (int i = 0; i < 400 && heard_bytes < TOLD_BYTES; i++) {
        heard_bytes += line_receive(&line, heard + heard_bytes, 7);
        pass(TURN_MS, true);
    }
    CHECK(heard_bytes == TOLD_BYTES && memcmp(heard, told, TOLD_BYTES) == 0, "%u bytes", (unsigned)heard_bytes);
    check_end();
}

static void test_endings(void) {
    check_begin("a refusal gives its reason, and the next opening is another");
    begin_quiet();
    host.refuses_with = REASON_NAME;
    (void)line_open(&line, LINE_STREAM, 0);
    LineNews news = news_in(1000, true);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_NAME, "%d %d", (int)news.what, (int)news.reason);
    uint32_t before = host.epoch;
    host.refuses_with = 0;
    open_quietly();
    CHECK(host.epoch != before && host.opens == 2, "%u opens", (unsigned)host.opens);
    check_end();

    check_begin("a reason that is none is REASON_OTHER");
    begin_quiet();
    host.refuses_with = 200;
    (void)line_open(&line, LINE_STREAM, 0);
    news = news_in(1000, true);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_OTHER, "%d %d", (int)news.what, (int)news.reason);
    check_end();

    check_begin("an opening right behind a close waits for the last bytes");
    begin_quiet();
    open_quietly();
    CHECK(line_send(&line, sent, 400) == 400, "not taken");
    line_close(&line);
    (void)line_open(&line, LINE_STREAM, 2);
    for (int i = 0; i < 20 && !host.closed; i++) pass(TURN_MS, true);
    CHECK(host.closed && host.log_bytes == 400 && host.opens == 1, "%u bytes", (unsigned)host.log_bytes);
    news = news_in(1000, true);
    CHECK(news.what == LINK_OPENED && host.opens == 2, "%d", (int)news.what);
    check_end();

    check_begin("a close that nobody answers is over after a while");
    begin_quiet();
    open_quietly();
    CHECK(line_send(&line, sent, 400) == 400, "not taken");
    line_close(&line);
    CHECK(line_busy(&line), "idle");
    news = news_in(LINE_LINGER_MS + 100, false);
    CHECK(!news.what && !line_busy(&line) && line.state == LINE_CLOSED, "%d", (int)news.what);
    check_end();

    check_begin("the answer to an opening that was given up opens nothing");
    begin_quiet();
    (void)line_open(&line, LINE_STREAM, 0);
    pass(TURN_MS, false);
    line_close(&line);
    pass(TURN_MS, true);
    host.has = true;
    host.epoch = line.epoch;
    news = news_in(1000, true);
    CHECK(!news.what && host.gone, "%d", (int)news.what);
    check_end();
}

/* A message of `kind` about the stream of `epoch`: an item number, and a body of one byte. */
static void host_says_of(uint8_t kind, uint32_t epoch, uint8_t number, uint32_t length) {
    uint8_t message[9] = {0x00, kind, (uint8_t)(epoch >> 24), (uint8_t)(epoch >> 16 & 255), (uint8_t)(epoch >> 8 & 255), (uint8_t)(epoch & 255), 0, number, 5};
    host_puts(&host, message, length);
    pass(TURN_MS, true);
}

static void test_epochs(void) {
    check_begin("what belongs to another epoch changes nothing");
    begin_quiet();
    open_quietly();
    CHECK(line_send(&line, sent, 10) == 10, "not taken");
    uint32_t repeated = line.repeated;
    pass(TURN_MS, false); /* it is lost on the way */
    host_says_of(0x14, line.epoch - 1, 2, 9);
    pass(1000, false);
    CHECK(line.repeated > repeated, "acknowledged by another epoch's");
    host_says_of(0x15, line.epoch - 1, 1, 6);
    host_says_of(0x12, line.epoch - 1, 1, 9);
    host_says_of(0x13, line.epoch + 1, 1, 9);
    pass(1000, true);
    LineNews news = line_news(&line);
    CHECK(!news.what && !news.readable && host.log_bytes == 10, "%d", (int)news.what);
    host_says_of(0x12, line.epoch, 1, 9);
    news = line_news(&line);
    CHECK(news.readable && line_receive(&line, heard, 9) == 1 && heard[0] == 5, "the own epoch's is not taken");
    host_says_of(0x15, line.epoch, 1, 6);
    news = line_news(&line);
    CHECK(news.what == LINK_CLOSED && news.reason == REASON_RESET, "%d %d", (int)news.what, (int)news.reason);
    host_says_of(0x15, line.epoch, 1, 6);
    CHECK(!line_news(&line).what, "closed twice");
    check_end();
}

static void test_datagrams(void) {
    uint8_t message[FRAME_MESSAGE_BYTES];
    memset(message, 0x55, sizeof message);
    check_begin("datagrams go by the line as they are, one at a time");
    begin_quiet();
    (void)line_open(&line, LINE_DATAGRAMS, 0);
    CHECK(line_send(&line, message, 20) == 0, "taken before LINK_OPENED");
    LineNews news = line_news(&line);
    CHECK(news.what == LINK_OPENED, "%d", (int)news.what);
    CHECK(line_send(&line, message, 20) == 20 && line_send(&line, message, 30) == 0, "not one at a time");
    pass(TURN_MS, true);
    CHECK(host.datagrams == 1 && host.datagram_bytes == 20 && memcmp(host.datagram, message, 20) == 0, "%u", (unsigned)host.datagrams);
    news = line_news(&line);
    CHECK(news.what == LINK_WRITABLE, "%d", (int)news.what);
    for (uint8_t i = 1; i <= 3; i++) {
        message[0] = i;
        host_puts(&host, message, 20);
    }
    for (uint8_t i = 1; i <= 3; i++) {
        pass(TURN_MS, true);
        news = line_news(&line);
        CHECK(news.readable && line_receive(&line, heard, 600) == 20 && heard[0] == i, "not the datagram %u", i);
    }
    pass(TURN_MS, true);
    CHECK(!line_news(&line).readable && line.datagrams_lost == 0, "%u lost", (unsigned)line.datagrams_lost);
    host_puts(&host, message, 700);
    pass(TURN_MS, true);
    CHECK(line_receive(&line, heard, 512) == 700, "the length of a datagram that is too long is not told");
    static const uint32_t lengths[] = {20, FRAME_MESSAGE_BYTES, 512, 513, 20};
    for (uint8_t i = 0; i < 5; i++) {
        message[0] = (uint8_t)(i + 1);
        message[lengths[i] - 1] = (uint8_t)(i + 2);
        host_puts(&host, message, lengths[i]);
    }
    for (uint8_t i = 0; i < 5; i++) {
        pass(TURN_MS, true);
        memset(heard, 0, sizeof heard);
        uint32_t length = line_news(&line).readable ? line_receive(&line, heard, FRAME_MESSAGE_BYTES) : 0;
        CHECK(length == lengths[i] && heard[0] == i + 1 && heard[length - 1] == i + 2, "datagram %u came with %u bytes", i, (unsigned)length);
    }
    CHECK(!line_news(&line).readable && line.datagrams_lost == 0, "%u lost", (unsigned)line.datagrams_lost);
    CHECK(line_send(&line, message, 40) == 40, "not taken");
    line_close(&line);
    pass(TURN_MS, true);
    CHECK(host.datagrams == 2 && host.datagram_bytes == 40 && !line_busy(&line), "%u", (unsigned)host.datagrams);
    host_puts(&host, message, 20);
    pass(TURN_MS, true);
    CHECK(line.datagrams_lost == 1 && !line_news(&line).readable, "%u lost", (unsigned)line.datagrams_lost);
    check_end();
}

static bool said(const char *text) {
    host.texts[host.texts_bytes < sizeof host.texts ? host.texts_bytes : sizeof host.texts - 1] = 0;
    return strstr(host.texts, text) != NULL;
}

static void test_texts(void) {
    char text[LINE_TEXT_BYTES + 3];
    check_begin("console lines and events arrive; what does not fit is counted, and told");
    begin_quiet();
    CHECK(line_say(&line, LINE_CONSOLE, "hello", 5) && line_say(&line, LINE_EVENT, "{}", 2), "not taken");
    pass(TURN_MS, true);
    CHECK(said("chello\ne{}\n"), "%s", host.texts);
    memset(text, 'x', sizeof text);
    uint32_t taken_texts = 0;
    for (int i = 0; i < 10; i++) taken_texts += line_say(&line, LINE_EVENT, text, 200);
    CHECK(taken_texts == 5 && line.events_lost == 5, "%u taken", (unsigned)taken_texts);
    pass(TURN_MS, true);
    CHECK(host.lost == 5, "%u told", (unsigned)host.lost);
    CHECK(!line_say(&line, LINE_EVENT, text, sizeof text) && line.events_lost == 6, "half an event");
    memcpy(text + LINE_TEXT_BYTES - 1, "\xe2\x82\xac", 3); /* a character across the limit */
    host.texts_bytes = 0;
    CHECK(line_say(&line, LINE_CONSOLE, text, LINE_TEXT_BYTES + 2), "not taken");
    pass(TURN_MS, true);
    CHECK(host.texts_bytes == 1 + LINE_TEXT_BYTES - 1 + 1, "%u bytes", (unsigned)host.texts_bytes);
    check_end();

    check_begin("texts without end and a full stream take turns");
    begin_quiet();
    host.bytes_count = TOLD_BYTES;
    open_quietly();
    uint32_t sent_bytes = 0, said_texts = 0;
    heard_bytes = 0;
    uint8_t bytes[64];
    for (int i = 0; i < 4000; i++) {
        said_texts += line_say(&line, LINE_CONSOLE, text, 100);
        if (sent_bytes < SENT_BYTES) sent_bytes += (uint32_t)line_send(&line, sent + sent_bytes, (int32_t)(SENT_BYTES - sent_bytes));
        heard_bytes += line_receive(&line, heard + heard_bytes, TOLD_BYTES - heard_bytes);
        uint32_t count = line_take(&line, bytes, sizeof bytes, now); /* 64 bytes in 5 ms: a slow wire */
        host_received(&host, bytes, count);
        host.texts_bytes = 0;
        host_step(&host, now);
        (void)line_received(&line, host.wire, host.wire_bytes);
        host.wire_bytes = 0;
        now += TURN_MS;
    }
    CHECK(host.log_bytes == SENT_BYTES && heard_bytes == TOLD_BYTES, "%u sent, %u heard", (unsigned)host.log_bytes, (unsigned)heard_bytes);
    CHECK(said_texts > 1500 && line.consoles_lost == 4000 - said_texts, "%u said", (unsigned)said_texts);
    check_end();
}

static void test_wishes(void) {
    uint32_t value = 0;
    check_begin("the host's wishes, each once, and only for this start");
    begin_quiet();
    host_says_hello(&host);
    pass(50, true);
    CHECK(host.hellos == 2 && host.boot == 0x1234 && host.hello_epoch == 0, "%u hellos", (unsigned)host.hellos);
    host_commands(&host, 0x9999, 1, 1);
    pass(50, true);
    CHECK(line_wish(&line, &value) == LINE_NOTHING && host.commanded == 0, "a command to another start");
    host_commands(&host, 0x1234, 1, 1);
    host_commands(&host, 0x1234, 1, 1);
    host_commands(&host, 0x1234, 2, 3);
    pass(50, true);
    CHECK(line_wish(&line, &value) == LINE_STOP && line_wish(&line, &value) == LINE_NOTHING && host.commanded == 1, "%u", (unsigned)host.commanded);
    host_commands(&host, 0x1234, 2, 3);
    pass(50, true);
    CHECK(line_wish(&line, &value) == LINE_RESTART && host.commanded == 2, "%u", (unsigned)host.commanded);
    host_commands(&host, 0x1234, 3, 9);
    const uint8_t clock[] = {0x00, 0x04, 0x65, 0x53, 0xf1, 0x00};
    host_puts(&host, clock, sizeof clock);
    pass(50, true);
    CHECK(line_wish(&line, &value) == LINE_CLOCK && value == 1700000000, "%u", (unsigned)value);
    CHECK(line_wish(&line, &value) == LINE_NOTHING, "again");
    check_end();
}

/* Any bytes, in and out of frames; every other message begins as one of the line. */
static void test_noise(void) {
    uint32_t state = 7;
    check_begin("any bytes and any messages: it neither hangs nor overruns, and works on");
    begin_quiet();
    for (uint32_t i = 0; i < 200000; i++) {
        uint8_t message[64], frame[FRAME_BYTES(64)], to[256];
        for (uint32_t j = 0; j < sizeof message; j++) message[j] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
        uint32_t length = 1 + message[60] % 24;
        if (message[61] & 1) {
            message[0] = 0;
            message[1] &= 0x1f;
        }
        if (message[61] & 2) { /* of this epoch, and about this number */
            for (uint32_t j = 0; j < 4; j++) message[2 + j] = (uint8_t)(line.epoch >> (24 - 8 * j) & 0xff);
            message[6] = 0;
            message[7] &= 7;
        }
        uint32_t size = frame_encode(frame, sizeof frame, message, length);
        for (uint32_t at = 0, took = 1; at < size && took; at += took) took = line_received(&line, frame + at, size - at);
        if (message[61] & 4) (void)line_received(&line, message, sizeof message);
        if ((message[62] & 63) == 0) (void)line_open(&line, message[62] & 64 ? LINE_STREAM : LINE_DATAGRAMS, message[63]);
        if ((message[62] & 63) == 1) line_close(&line);
        (void)line_send(&line, message, message[63] % 60);
        (void)line_say(&line, message[62] & 1 ? LINE_EVENT : LINE_CONSOLE, (const char *)message, message[63] % 60);
        (void)line_news(&line);
        (void)line_wish(&line, &state);
        if (message[62] & 8) (void)line_receive(&line, heard, message[63]);
        uint32_t took = line_take(&line, to, message[63], now);
        CHECK(took <= message[63] && line_wait(&line, now) >= 0, "%u bytes", (unsigned)took);
        now += message[59];
    }
    for (int i = 0; i < 4; i++) line_close(&line);
    host_init(&host);
    (void)line_receive(&line, heard, 600);
    pass(LINE_LINGER_MS + 100, true);
    const uint8_t ends[2] = {0, 0};
    (void)line_received(&line, ends, 2);
    open_quietly();
    check_end();
}

int main(void) {
    for (uint32_t i = 0; i < SENT_BYTES; i++) sent[i] = (uint8_t)(i * 31 >> 3);
    for (uint32_t i = 0; i < TOLD_BYTES; i++) told[i] = (uint8_t)(i % 11 ? i * 7 : 0);
    test_silence();
    test_flow();
    test_endings();
    test_epochs();
    test_datagrams();
    test_texts();
    test_wishes();
    test_noise();
    return CHECK_STATUS();
}
