/* Uploads to the board's end of a line: refusals, repetitions, a start that is another's, and a wire that harms any one frame. */

#include "check.h"
#include "crc32.h"
#include "line.h"
#include "line_host.h"
#include "text_upload.h"

#define BOOT 0x1234
#define TEXT_BYTES 700
#define TURN_MS 5
#define LIMIT_MS 20000

static Line line;
static Host host;
static uint32_t now;
static uint8_t text[TEXT_BYTES];
static uint32_t text_crc;

/* The board's side. */
static TextUpload upload;
static uint8_t taken[TEXT_BYTES];
static uint8_t kept[TEXT_BYTES];
static uint32_t kept_bytes;
static uint32_t keeps;
static const char *refusal;

static const char *keep(void *context, const char *bytes, uint32_t length) {
    (void)context;
    keeps++;
    if (refusal) return refusal;
    memcpy(kept, bytes, length);
    kept_bytes = length;
    return NULL;
}

/* What keeps its bytes over a reset: a module. */
static uint32_t stored;
static uint32_t begun, ended;
static bool out_of_order;

static const char *begin_module(void *context, uint32_t length, uint32_t crc, uint32_t *awaited) {
    (void)context;
    (void)crc;
    begun++;
    if (length != TEXT_BYTES) return "this is another module";
    *awaited = stored;
    return NULL;
}

static const char *write_module(void *context, uint32_t offset, const uint8_t *bytes, uint32_t count, uint32_t *awaited) {
    (void)context;
    (void)awaited;
    if (offset != stored || memcmp(text + offset, bytes, count) != 0) out_of_order = true;
    stored += count;
    return NULL;
}

static const char *end_module(void *context) {
    (void)context;
    ended++;
    return NULL;
}

static const LineUploads modules = {begin_module, write_module, end_module};

static void switch_on(uint32_t boot) {
    line_init(&line, boot);
    upload = (TextUpload){.text = taken, .capacity = sizeof taken, .keep = keep};
    line_takes(&line, LINE_SETTINGS, &text_uploads, &upload);
    line_takes(&line, LINE_MODULE, &modules, NULL);
}

static void begin_world(void) {
    now = 0xffffff00u; /* it wraps soon */
    host_init(&host);
    refusal = NULL;
    kept_bytes = keeps = stored = begun = ended = 0;
    out_of_order = false;
    switch_on(BOOT);
}

static void pass(void) {
    uint8_t bytes[2048];
    (void)line_received(&line, host.wire, host.wire_bytes);
    host.wire_bytes = 0;
    host_received(&host, bytes, line_take(&line, bytes, sizeof bytes, now));
    now += TURN_MS;
}

static bool says(uint8_t number, uint8_t status, uint32_t awaited) {
    return host.taken_number == number && host.taken_status == status && host.taken_awaited == awaited;
}

#define ANSWER "answer %u: status %u, awaits %u, \"%s\"", host.taken_number, host.taken_status, (unsigned)host.taken_awaited, host.taken_text

static void test_chunks(void) {
    check_begin("an upload is taken chunk by chunk, once each, and kept when all is there");
    begin_world();
    host_offers(&host, BOOT, 1, 1, TEXT_BYTES, text_crc);
    pass();
    CHECK(says(1, 0, 0), ANSWER);
    host_sends_chunk(&host, BOOT, 1, 0, text, 256);
    pass();
    CHECK(says(1, 0, 256) && keeps == 0, ANSWER);
    host_sends_chunk(&host, BOOT, 1, 0, text + 256, 256);
    host_sends_chunk(&host, BOOT, 1, 512, text + 512, 188);
    host_offers(&host, BOOT, 1, 1, TEXT_BYTES, text_crc);
    pass();
    CHECK(says(1, 0, 256), ANSWER);
    host_sends_chunk(&host, BOOT, 1, 256, text + 256, 256);
    host_sends_chunk(&host, BOOT, 1, 512, text + 512, 188);
    pass();
    CHECK(says(1, 1, TEXT_BYTES) && keeps == 1 && kept_bytes == TEXT_BYTES && memcmp(kept, text, TEXT_BYTES) == 0, ANSWER);
    host.takens = 0;
    host_sends_chunk(&host, BOOT, 1, 512, text + 512, 188);
    pass();
    CHECK(host.takens == 1 && says(1, 1, TEXT_BYTES) && keeps == 1, ANSWER);
    check_end();

    check_begin("nothing is an upload, too");
    begin_world();
    host_offers(&host, BOOT, 1, 1, 0, 0);
    pass();
    CHECK(says(1, 1, 0) && keeps == 1 && kept_bytes == 0, ANSWER);
    check_end();
}

static void test_refusals(void) {
    check_begin("what nobody takes, what is too long, damaged, or refused by who keeps it is refused with the reason");
    begin_world();
    host_offers(&host, BOOT, 1, 5, 10, 0);
    pass();
    CHECK(says(1, 2, 0) && strstr(host.taken_text, "no TLS"), ANSWER);
    host_offers(&host, BOOT, 2, 200, 10, 0);
    pass();
    CHECK(says(2, 2, 0) && strstr(host.taken_text, "does not know"), ANSWER);
    host_offers(&host, BOOT, 3, 1, TEXT_BYTES + 1, 0);
    pass();
    CHECK(says(3, 2, 0) && strstr(host.taken_text, "701 bytes, and this board keeps at most 700"), ANSWER);
    host_sends_chunk(&host, BOOT, 3, 0, text, 10);
    pass();
    CHECK(says(3, 2, 0), ANSWER);
    host_offers(&host, BOOT, 4, 1, 3, 1);
    host_sends_chunk(&host, BOOT, 4, 0, text, 3);
    pass();
    CHECK(says(4, 2, 3) && strstr(host.taken_text, "damaged") && keeps == 0, ANSWER);
    refusal = "settings:1: \"nonsense\" is not of the form key = value";
    host_offers(&host, BOOT, 5, 1, 3, ~crc32_add(CRC32_BEGUN, text, 3));
    host_sends_chunk(&host, BOOT, 5, 0, text, 3);
    pass();
    CHECK(says(5, 2, 3) && strcmp(host.taken_text, refusal) == 0 && kept_bytes == 0, ANSWER);
    static char long_words[600];
    memset(long_words, 'x', sizeof long_words - 1);
    refusal = long_words;
    host_offers(&host, BOOT, 6, 1, 0, 0);
    pass();
    CHECK(says(6, 2, 0) && strlen(host.taken_text) == LINE_TEXT_BYTES, ANSWER);
    check_end();
}

static void test_strangers(void) {
    check_begin("what is not for this start, of no upload or of no length it can have changes nothing");
    begin_world();
    host_offers(&host, BOOT + 1, 1, 1, 10, 0);
    host_offers(&host, BOOT, 0, 1, 10, 0);
    host_sends_chunk(&host, BOOT, 0, 0, text, 10);
    host_sends_chunk(&host, BOOT, 1, 0, text, 10);
    pass();
    CHECK(host.takens == 0, ANSWER);
    host_offers(&host, BOOT, 7, 1, 300, ~crc32_add(CRC32_BEGUN, text, 300));
    pass();
    host.takens = 0;
    host_sends_chunk(&host, BOOT, 8, 0, text, 10);
    host_sends_chunk(&host, BOOT + 1, 7, 0, text, 10);
    host_sends_chunk(&host, BOOT, 7, 0, text, 257);
    host_sends_chunk(&host, BOOT, 7, 0, text, 0);
    pass();
    CHECK(host.takens == 0, ANSWER);
    host_sends_chunk(&host, BOOT, 7, 0, text, 200);
    host_sends_chunk(&host, BOOT, 7, 200, text + 200, 101); /* more than was offered */
    host_sends_chunk(&host, BOOT, 7, 0xffffff00u, text, 10);
    pass();
    CHECK(says(7, 0, 200), ANSWER);
    host_sends_chunk(&host, BOOT, 7, 200, text + 200, 100);
    pass();
    CHECK(says(7, 1, 300) && keeps == 1, ANSWER);
    check_end();

    check_begin("another host counts its uploads and commands anew");
    begin_world();
    uint32_t value;
    host_says_hello(&host);
    host_commands(&host, BOOT, 1, 4);
    host_offers(&host, BOOT, 1, 1, 10, 0);
    pass();
    CHECK(line_wish(&line, &value) == LINE_TELL, "no wish");
    host_says_hello(&host);
    host_commands(&host, BOOT, 1, 4);
    pass();
    CHECK(line_wish(&line, &value) == LINE_NOTHING, "a command is carried out twice");
    host_forgets(&host);
    host_commands(&host, BOOT, 1, 4);
    host_offers(&host, BOOT, 1, 1, 0, 0);
    pass();
    CHECK(line_wish(&line, &value) == LINE_TELL, "the other host's command is not carried out");
    CHECK(says(1, 1, 0) && keeps == 1, ANSWER);
    check_end();
}

static void test_resumed(void) {
    check_begin("after a reset it goes on where the taker says; all there already is an end at once");
    begin_world();
    host_offers(&host, BOOT, 1, 2, TEXT_BYTES, text_crc);
    host_sends_chunk(&host, BOOT, 1, 0, text, 256);
    pass();
    CHECK(says(1, 0, 256) && stored == 256, ANSWER);
    switch_on(BOOT + 1);
    host_offers(&host, BOOT + 1, 2, 2, TEXT_BYTES, text_crc);
    pass();
    CHECK(says(2, 0, 256) && begun == 2, ANSWER);
    host_sends_chunk(&host, BOOT + 1, 2, 256, text + 256, 256);
    host_sends_chunk(&host, BOOT + 1, 2, 512, text + 512, 188);
    pass();
    CHECK(says(2, 1, TEXT_BYTES) && ended == 1, ANSWER);
    switch_on(BOOT + 2);
    host_offers(&host, BOOT + 2, 3, 2, TEXT_BYTES, text_crc);
    pass();
    CHECK(says(3, 1, TEXT_BYTES) && ended == 2 && !out_of_order, ANSWER);
    check_end();
}

typedef enum { LOST, DOUBLED, FLIPPED, SHORTENED, BOARD_RESTARTS, HOST_RESTARTS, FAULTS } Fault;
static const char *const fault_names[] = {"lost", "doubled", "flipped", "short of a byte", "with a restart of the board", "with a restart of the host"};

static Fault fault;
static uint32_t fault_frame, fault_byte, frame_bytes, frames;
static uint8_t wire[2][8192]; /* to the board, to the host */
static uint32_t wire_bytes[2];

/* The host of the faulty wire: sends again what is not answered for 200 ms. */
static uint32_t boot;
static uint8_t what;
static uint8_t number;
static bool offered; /* the offer is answered */
static uint32_t at;
static uint32_t sent;
static uint32_t hellos; /* before the host's start: what the board answers another host comes before the next */

static void put_bytes(int direction, const uint8_t *bytes, uint32_t count) {
    memcpy(wire[direction] + wire_bytes[direction], bytes, count);
    wire_bytes[direction] += count;
}

static void host_begins(void) {
    number = 1;
    offered = false;
    at = 0;
    sent = now - 200;
    hellos = host.hellos;
}

static void put_frame(int direction, uint8_t *frame, uint32_t length) {
    bool hit = frames++ == fault_frame;
    if (hit) frame_bytes = length;
    if (hit && fault == LOST) return;
    if (hit && fault == DOUBLED) put_bytes(direction, frame, length);
    if (hit && fault == FLIPPED) frame[fault_byte % length] ^= (uint8_t)(1u << fault_byte % 8);
    if (hit && fault == SHORTENED) {
        length--;
        memmove(frame + fault_byte % (length + 1), frame + fault_byte % (length + 1) + 1, length - fault_byte % (length + 1));
    }
    put_bytes(direction, frame, length);
    if (hit && fault == BOARD_RESTARTS) switch_on(++boot);
    if (hit && fault == HOST_RESTARTS) {
        host_forgets(&host);
        host_begins();
    }
}

static void put_frames(int direction, uint8_t *bytes, uint32_t count) {
    for (uint32_t from = 0; from < count;) {
        uint32_t end = from + 1;
        while (end < count && bytes[end]) end++;
        end = end < count ? end + 1 : count;
        put_frame(direction, bytes + from, end - from);
        from = end;
    }
}

static void host_uploads(void) {
    if (host.hellos == hellos) {
        host.taken_number = 0;
        if (now - sent >= 200) host_says_hello(&host);
        if (now - sent >= 200) sent = now;
        return;
    }
    if (host.taken_number == number && (!offered || host.taken_awaited != at)) {
        offered = true;
        at = host.taken_awaited;
        sent = now - 200;
    }
    if (now - sent < 200) return;
    sent = now;
    if (!offered) host_offers(&host, boot, number, what, TEXT_BYTES, text_crc);
    else if (at < TEXT_BYTES) host_sends_chunk(&host, boot, number, at, text + at, TEXT_BYTES - at < 256 ? TEXT_BYTES - at : 256);
}

static void turn(void) {
    uint8_t bytes[8192];
    uint32_t count, known = boot;
    host_uploads();
    count = host.wire_bytes;
    memcpy(bytes, host.wire, count);
    host.wire_bytes = 0;
    put_frames(0, bytes, count);
    (void)line_received(&line, wire[0], wire_bytes[0]);
    wire_bytes[0] = 0;
    put_frames(1, bytes, line_take(&line, bytes, sizeof bytes, now));
    host_received(&host, wire[1], wire_bytes[1]);
    wire_bytes[1] = 0;
    if (known != boot) { /* its hello says so */
        number++;
        offered = false;
        sent = now - 200;
    }
    now += TURN_MS;
}

static bool uploaded(void) {
    begin_world();
    memset(kept, 0, sizeof kept);
    boot = BOOT;
    host_begins();
    frames = 0;
    for (int i = 0; i < LIMIT_MS / TURN_MS && !(host.taken_number == number && host.taken_status == 1); i++) turn();
    bool all = host.taken_status == 1 && !out_of_order;
    if (what == 2) return all && stored == TEXT_BYTES && ended >= 1 && ended <= (fault < BOARD_RESTARTS ? 1 : 2);
    return all && kept_bytes == TEXT_BYTES && memcmp(kept, text, TEXT_BYTES) == 0 && keeps <= (fault < BOARD_RESTARTS ? 1 : 2);
}

static void test_faults(void) {
    char name[100];
    for (what = 1; what <= 2; what++) {
        for (fault = LOST; fault < FAULTS; fault++) {
            (void)snprintf(name, sizeof name, "%s arrive with any one frame %s", what == 1 ? "settings" : "a module's bytes", fault_names[fault]);
            check_begin(name);
            uint32_t runs = 0, most = 1;
            for (fault_frame = 0; fault_frame < most; fault_frame++) {
                frame_bytes = 1;
                for (fault_byte = 0; fault_byte < frame_bytes; fault_byte++) {
                    CHECK(uploaded(), "frame %u byte %u: status %u, %u keeps, %u ended", (unsigned)fault_frame, (unsigned)fault_byte, host.taken_status,
                          (unsigned)keeps, (unsigned)ended);
                    runs++;
                    if (fault != FLIPPED && fault != SHORTENED) break;
                }
                if (most < frames && frames < 30) most = frames;
            }
            CHECK(runs >= 8, "only %u runs", (unsigned)runs);
            check_end();
        }
    }
}

int main(void) {
    for (uint32_t i = 0; i < TEXT_BYTES; i++) text[i] = (uint8_t)(i % 7 ? i * 31 >> 2 : 0);
    text_crc = ~crc32_add(CRC32_BEGUN, text, TEXT_BYTES);
    test_chunks();
    test_refusals();
    test_strangers();
    test_resumed();
    test_faults();
    return CHECK_STATUS();
}
