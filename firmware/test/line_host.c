#include "line_host.h"

#include <string.h>

static uint32_t number_of(const uint8_t *from, int bytes) {
    uint32_t number = 0;
    for (int i = 0; i < bytes; i++) number = number << 8 | from[i];
    return number;
}

static void write_number(uint8_t *to, uint32_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, number >>= 8) to[i] = (uint8_t)(number & 0xff);
}

void host_puts(Host *host, const uint8_t *message, uint32_t length) {
    host->wire_bytes += frame_encode(host->wire + host->wire_bytes, HOST_WIRE_BYTES - host->wire_bytes, message, length);
    host->frames++;
}

void host_says_hello(Host *host) {
    uint8_t message[12] = {0x00, 0x00, 0x01, 0x01, 0, 0, 0, host->start};
    write_number(message + 8, host->has ? host->epoch : 0, 4);
    host_puts(host, message, sizeof message);
}

void host_commands(Host *host, uint32_t start, uint8_t number, uint8_t command) {
    uint8_t message[8] = {0x00, 0x05, 0, 0, 0, 0, number, command};
    write_number(message + 2, start, 4);
    host_puts(host, message, sizeof message);
}

void host_offers(Host *host, uint32_t start, uint8_t number, uint8_t what, uint32_t length, uint32_t crc) {
    uint8_t message[16] = {0x00, 0x07, 0, 0, 0, 0, number, what};
    write_number(message + 2, start, 4);
    write_number(message + 8, length, 4);
    write_number(message + 12, crc, 4);
    host_puts(host, message, sizeof message);
}

void host_sends_chunk(Host *host, uint32_t start, uint8_t number, uint32_t offset, const uint8_t *bytes, uint32_t count) {
    uint8_t message[11 + 300] = {0x00, 0x08, 0, 0, 0, 0, number};
    write_number(message + 2, start, 4);
    write_number(message + 7, offset, 4);
    memcpy(message + 11, bytes, count);
    host_puts(host, message, 11 + count);
}

void host_init(Host *host) {
    memset(host, 0, sizeof *host);
    host->start = 1;
    frame_reader_init(&host->reader, host->message, sizeof host->message);
}

static void begin_stream(Host *host, uint32_t epoch) {
    host->has = true;
    host->epoch = epoch;
    host->awaited = 0;
    host->number = 0;
    host->flying = false;
    host->bytes_at = host->log_bytes = 0;
    host->said_close = host->closed = host->gone = false;
}

void host_forgets(Host *host) {
    begin_stream(host, 0);
    host->has = false;
    host->start++;
    host->wire_bytes = 0;
    frame_reader_init(&host->reader, host->message, sizeof host->message);
    host_says_hello(host);
}

static void acknowledge(Host *host, bool held) {
    uint8_t message[9] = {0x00, 0x14};
    write_number(message + 2, host->epoch, 4);
    write_number(message + 6, host->awaited, 2);
    message[8] = held ? 1 : 0;
    host_puts(host, message, sizeof message);
}

static void item_came(Host *host, const uint8_t *message, uint32_t length) {
    uint8_t kind = message[1];
    uint32_t epoch = number_of(message + 2, 4), number = number_of(message + 6, 2);
    if (kind == 0x10 && (!host->has || epoch != host->epoch)) {
        begin_stream(host, epoch);
        host->opens++;
        host->choice = number_of(message + 8, 4);
    }
    if (!host->has || epoch != host->epoch) {
        uint8_t none[6] = {0x00, 0x15};
        write_number(none + 2, epoch, 4);
        host_puts(host, none, sizeof none);
        return;
    }
    if (number == host->awaited) {
        if (kind == 0x12 && host->full) {
            acknowledge(host, true);
            return;
        }
        if (kind == 0x12 && host->log_bytes + length - 8 <= HOST_LOG_BYTES) {
            memcpy(host->log + host->log_bytes, message + 8, length - 8);
            host->log_bytes += length - 8;
            if (length > 8 + 256) host->bad_pieces++;
        }
        if (kind == 0x13) host->closed = true;
        host->awaited++;
    } else if (number != (uint16_t)(host->awaited - 1)) return;
    acknowledge(host, false);
}

static void came(Host *host, const uint8_t *message, uint32_t length) {
    if (message[0] != 0) {
        host->datagrams++;
        host->datagram_bytes = length;
        memcpy(host->datagram, message, length);
        return;
    }
    switch (message[1]) {
    case 0x00:
        host->hellos++;
        host->boot = number_of(message + 4, 4);
        host->hello_epoch = number_of(message + 8, 4);
        break;
    case 0x01:
    case 0x02:
        if (host->texts_bytes + length + 2 > sizeof host->texts) break;
        host->texts[host->texts_bytes++] = message[1] == 1 ? 'c' : 'e';
        memcpy(host->texts + host->texts_bytes, message + 2, length - 2);
        host->texts_bytes += length - 2;
        host->texts[host->texts_bytes++] = '\n';
        break;
    case 0x03:
        host->lost = number_of(message + 2, 4) + number_of(message + 6, 4);
        break;
    case 0x06:
        host->commanded = message[6];
        break;
    case 0x09:
        host->takens++;
        host->taken_number = message[6];
        host->taken_status = message[7];
        host->taken_awaited = number_of(message + 8, 4);
        memcpy(host->taken_text, message + 12, length - 12);
        host->taken_text[length - 12] = 0;
        break;
    case 0x10:
    case 0x12:
    case 0x13:
        item_came(host, message, length);
        break;
    case 0x14:
        if (host->has && host->flying && number_of(message + 2, 4) == host->epoch && number_of(message + 6, 2) == (uint16_t)(host->number + 1)) {
            host->flying = false;
            host->number++;
            host->bytes_at += host->flying_bytes;
        }
        break;
    case 0x15:
        if (host->has && number_of(message + 2, 4) == host->epoch) host->gone = true;
        break;
    }
}

void host_received(Host *host, const uint8_t *bytes, uint32_t count) {
    for (uint32_t at = 0; at < count;) {
        uint32_t length;
        at += frame_read(&host->reader, bytes + at, count - at, &length);
        if (length) came(host, host->message, length);
    }
}

void host_step(Host *host, uint32_t now) {
    uint8_t message[8 + 512] = {0x00};
    uint32_t length = 8;
    if (!host->has || host->gone || (host->flying && now - host->sent_at < HOST_AGAIN_MS)) return;
    uint32_t left = host->bytes_count - host->bytes_at;
    host->flying_bytes = 0;
    write_number(message + 2, host->epoch, 4);
    write_number(message + 6, host->number, 2);
    if (host->number == 0) {
        message[1] = host->refuses_with ? 0x13 : 0x11;
        if (host->refuses_with) message[length++] = host->refuses_with;
    } else if (host->refuses_with) return;
    else if (left) {
        message[1] = 0x12;
        host->flying_bytes = left < 512 ? left : 512;
        memcpy(message + 8, host->bytes + host->bytes_at, host->flying_bytes);
        length += host->flying_bytes;
    } else if (host->ends_with && (!host->said_close || host->flying)) {
        message[1] = 0x13;
        message[length++] = host->ends_with;
        host->said_close = true;
    } else return;
    host->flying = true;
    host->sent_at = now;
    host_puts(host, message, length);
}
