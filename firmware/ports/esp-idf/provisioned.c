#include "provisioned.h"

#include "built_in.h"
#include "kept.h"
#include "text_upload.h"

#include <string.h>

#define PEM_BEGIN "-----BEGIN "

static char settings_text_kept[KEPT_BYTES];
static char pems[KEPT_KEY + 1][KEPT_BYTES + 1];
static Identity identity;
static uint8_t uploaded[KEPT_BYTES];
static bool is_built_in;

bool provisioned_read(Settings *settings) {
    static const char built_in[] = TWOBYTE_BUILT_IN;
    uint32_t length = kept_read(KEPT_SETTINGS, settings_text_kept, sizeof settings_text_kept);
    settings->error[0] = 0;
    is_built_in = length == 0;
    return is_built_in ? settings_read(settings, "built-in settings", built_in, sizeof built_in - 1)
                       : settings_read(settings, "settings", settings_text_kept, length);
}

bool provisioned_built_in(void) {
    return is_built_in;
}

static const char *pem(Kept what) {
    uint32_t length = kept_read(what, pems[what], KEPT_BYTES);
    pems[what][length] = 0;
    return length ? pems[what] : NULL;
}

const Identity *provisioned_identity(void) {
    identity = (Identity){.authority = pem(KEPT_AUTHORITY), .certificate = pem(KEPT_CERTIFICATE), .key = pem(KEPT_KEY)};
    if (!identity.certificate || !identity.key) identity.certificate = identity.key = NULL; /* one without the other says nothing */
    return &identity;
}

static const char not_kept[] = "the board's flash did not take it";

/* Settings of nothing take the board's back: it starts with the built-in ones again. */
static const char *keep_settings(void *context, const char *text, uint32_t length) {
    static Settings tried;
    (void)context;
    memset(&tried, 0, sizeof tried);
    if (length && !settings_read(&tried, "settings", text, length)) return tried.error;
    return kept_write(KEPT_SETTINGS, text, length) ? NULL : not_kept;
}

static const char *keep_pem(void *context, const char *text, uint32_t length) {
    const Kept *what = context;
    if (length && (length < sizeof PEM_BEGIN || memcmp(text, PEM_BEGIN, sizeof PEM_BEGIN - 1) != 0)) {
        return "it is no PEM: its first line begins with -----BEGIN";
    }
    return kept_write(*what, text, length) ? NULL : not_kept;
}

void provisioned_take(Line *line) {
    static const LineUpload uploads[] = {LINE_SETTINGS, LINE_AUTHORITY, LINE_CERTIFICATE, LINE_KEY};
    static Kept whats[] = {KEPT_SETTINGS, KEPT_AUTHORITY, KEPT_CERTIFICATE, KEPT_KEY};
    static TextUpload texts[sizeof uploads / sizeof uploads[0]];
    for (size_t i = 0; i < sizeof uploads / sizeof uploads[0]; i++) {
        /* One at a time comes: they share the memory. */
        texts[i] = (TextUpload){.text = uploaded, .capacity = sizeof uploaded, .keep = i == 0 ? keep_settings : keep_pem, .context = &whats[i]};
        line_takes(line, uploads[i], &text_uploads, &texts[i]);
    }
}
