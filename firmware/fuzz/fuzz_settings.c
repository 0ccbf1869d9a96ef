/* A board's settings file of any bytes: what is taken of it can be asked for, and what is not is refused in words. */
#include "settings_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition) ((condition) ? (void)0 : (fprintf(stderr, "REPORT: not so: %s\n", #condition), abort()))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Settings settings;
    memset(&settings, 0, sizeof settings);
    /* Without a NUL behind it, as a file has none. */
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    const bool taken = settings_read(&settings, "board.conf", text, (uint32_t)size);
    EXPECT(taken || (settings.error[0] && memchr(settings.error, 0, sizeof settings.error)));
    EXPECT(settings.used <= SETTINGS_BYTES);
    if (taken && !settings_complete(&settings)) EXPECT(settings.error[0]);
    for (int32_t key = 0; key < SETTINGS_CONFIG_KEYS; key++) {
        uint8_t to[64];
        const int32_t length = settings_text(&settings, key, to, (int32_t)sizeof to);
        EXPECT(length >= -1 && length <= SETTINGS_BYTES);
        (void)settings_number(&settings, key, 1);
        EXPECT(settings_key(key));
    }
    EXPECT(settings.server_count <= SETTINGS_SERVERS);
    for (uint32_t i = 0; i < settings.server_count; i++) {
        const Server *server = &settings.servers[i];
        EXPECT(memchr(server->host, 0, sizeof server->host) && memchr(server->path, 0, sizeof server->path) && memchr(server->port, 0, sizeof server->port));
    }
    free(text);
    return 0;
}
