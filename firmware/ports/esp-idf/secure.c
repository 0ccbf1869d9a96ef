#include "secure.h"

#include "contract.h"

#include "esp_crt_bundle.h"
#include "esp_tls.h"
#include "mbedtls/x509.h"

#include <string.h>

/* In a handshake esp-tls does not say whether it waits to read or to write. */
#define SHAKING_LOOK_MS 50
/* Less than a record: the session takes such a piece whole. */
#define PIECE_BYTES 1024

void secure_init(Secure *tls, const Identity *identity) {
    *tls = (Secure){.identity = identity};
    stream_init(&tls->tcp);
}

static void drop(Secure *tls) {
    if (tls->session) {
        /* The socket is the session's. */
        (void)esp_tls_conn_destroy(tls->session);
        tls->tcp.socket = -1;
    }
    tls->session = NULL;
    tls->shaking = tls->open = tls->unsent = tls->blocked = false;
    tls->failure = 0;
    stream_close(&tls->tcp);
}

int32_t secure_open(Secure *tls, Lookup *lookup, uint32_t number, const char *host) {
    drop(tls);
    tls->host = host;
    return stream_open(&tls->tcp, lookup, number);
}

static uint32_t pem_bytes(const char *text) {
    return text ? (uint32_t)strlen(text) + 1 : 0; /* the NUL counts */
}

/* What the handshake failed of. */
static int32_t reason_of(esp_tls_t *session) {
    esp_tls_error_handle_t error;
    int code = 0;
    int flags = 0;
    if (esp_tls_get_error_handle(session, &error) != ESP_OK) return REASON_TLS;
    (void)esp_tls_get_and_clear_last_error(error, &code, &flags);
    /* Of the broker's certificate, with an authority and with the bundle. */
    bool judged = flags || code == -MBEDTLS_ERR_X509_CERT_VERIFY_FAILED || code == -MBEDTLS_ERR_X509_FATAL_ERROR;
    return judged ? REASON_CERTIFICATE : REASON_TLS;
}

/* One step of the handshake: 0 while it goes on, 1 when it is over, or a negated REASON_…. */
static int32_t shake(Secure *tls) {
    const Identity *identity = tls->identity;
    esp_tls_cfg_t config = {
        .cacert_buf = (const unsigned char *)identity->authority,
        .cacert_bytes = pem_bytes(identity->authority),
        .clientcert_buf = (const unsigned char *)identity->certificate,
        .clientcert_bytes = pem_bytes(identity->certificate),
        .clientkey_buf = (const unsigned char *)identity->key,
        .clientkey_bytes = pem_bytes(identity->key),
        .crt_bundle_attach = identity->authority ? NULL : esp_crt_bundle_attach,
        .common_name = tls->host,
    };
    int answer = esp_tls_conn_new_async(tls->host, (int)strlen(tls->host), 0, &config, tls->session);
    return answer >= 0 ? answer : -reason_of(tls->session);
}

/* The connection is there: esp-tls goes on where it would be after its own connect, which waits in select and does not look at the socket's error. The
 * socket never blocks already, so the session does not either. */
static bool begin(Secure *tls) {
    tls->session = esp_tls_init();
    tls->shaking = tls->session && esp_tls_set_conn_sockfd(tls->session, tls->tcp.socket) == ESP_OK &&
                   esp_tls_set_conn_state(tls->session, ESP_TLS_CONNECTING) == ESP_OK;
    return tls->shaking;
}

static bool is_waiting(ssize_t answer) {
    return answer == ESP_TLS_ERR_SSL_WANT_READ || answer == ESP_TLS_ERR_SSL_WANT_WRITE;
}

/* Sends what the session has taken and not sent. Such a call takes no new bytes, whatever it is given. False: it still waits. */
static bool send_rest(Secure *tls) {
    static const uint8_t nothing[1];
    if (!tls->unsent) return true;
    ssize_t answer = esp_tls_conn_write(tls->session, nothing, sizeof nothing);
    if (is_waiting(answer)) return false;
    tls->unsent = false;
    if (answer < 0) tls->failure = REASON_RESET;
    return true;
}

int32_t secure_send(Secure *tls, const uint8_t *data, int32_t length) {
    if (!tls->open) return 0;
    bool free = send_rest(tls);
    if (tls->failure) return -tls->failure;
    int32_t piece = length < PIECE_BYTES ? length : PIECE_BYTES;
    if (!free || piece == 0) {
        tls->blocked = !free;
        return 0;
    }
    ssize_t answer = esp_tls_conn_write(tls->session, data, (size_t)piece);
    if (is_waiting(answer)) {
        /* They are encrypted already, and would be so again: taken. */
        tls->unsent = true;
        answer = piece;
    }
    if (answer < 0) {
        tls->failure = REASON_RESET;
        return -tls->failure;
    }
    if (answer < length) tls->blocked = true;
    return (int32_t)answer;
}

void secure_close(Secure *tls) {
    drop(tls);
}

void secure_wants(const Secure *tls, struct pollfd *poll, bool room) {
    if (!tls->session) {
        stream_wants(&tls->tcp, poll, room);
        return;
    }
    short events = (short)((tls->shaking || room ? POLLIN : 0) | (tls->unsent || tls->blocked ? POLLOUT : 0));
    *poll = (struct pollfd){.fd = events ? tls->tcp.socket : -1, .events = events};
}

int64_t secure_wait(const Secure *tls, bool room, int64_t ms) {
    if (tls->failure || (tls->open && room && esp_tls_get_bytes_avail(tls->session) > 0)) return 0;
    return tls->shaking && ms > SHAKING_LOOK_MS ? SHAKING_LOOK_MS : ms;
}

static LinkNews closed(Secure *tls, int32_t reason) {
    drop(tls);
    return (LinkNews){.what = LINK_CLOSED, .reason = reason};
}

LinkNews secure_news(Secure *tls, const struct pollfd *poll) {
    if (tls->failure) return (LinkNews){.readable = true};
    if (!tls->session) {
        LinkNews news = stream_news(&tls->tcp, poll);
        if (news.what != LINK_OPENED) return news;
        if (!begin(tls)) return closed(tls, REASON_OTHER);
    }
    if (tls->shaking) {
        int32_t answer = shake(tls);
        if (answer < 0) return closed(tls, -answer);
        if (answer == 0) return (LinkNews){.what = 0};
        tls->shaking = false;
        tls->open = true;
        return (LinkNews){.what = LINK_OPENED};
    }
    short happened = poll->fd >= 0 && poll->fd == tls->tcp.socket ? poll->revents : 0;
    if (happened & POLLOUT && send_rest(tls) && tls->blocked && !tls->failure) {
        tls->blocked = false;
        return (LinkNews){.what = LINK_WRITABLE}; /* what there is to read, the next look tells */
    }
    return (LinkNews){.readable = tls->open && (happened & ~POLLOUT || tls->failure || esp_tls_get_bytes_avail(tls->session) > 0)};
}

int32_t secure_receive(Secure *tls, uint8_t *to, uint32_t room, int32_t *reason) {
    ssize_t count = room ? esp_tls_conn_read(tls->session, to, room) : ESP_TLS_ERR_SSL_WANT_READ;
    if (count > 0) return (int32_t)count;
    if (is_waiting(count) && !tls->failure) return 0;
    *reason = tls->failure ? tls->failure : count == 0 ? REASON_ENDED : REASON_RESET;
    drop(tls);
    return -1;
}
