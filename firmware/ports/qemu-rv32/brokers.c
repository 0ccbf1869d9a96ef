/* The emulated board's addresses: the other end of its line leads to a broker or a gateway, and knows which. */
#include "settings.h"

#include <string.h>

static bool begins(const char *url, const char *scheme) {
    return strncmp(url, scheme, strlen(scheme)) == 0;
}

bool settings_brokers(Settings *settings, const char *urls, const char *where, uint32_t line) {
    bool stream = strcmp(urls, "mqtt+serial:") == 0 || begins(urls, "mqtt+line://");
    if (!stream && strcmp(urls, "mqtt-sn+serial:") != 0 && !begins(urls, "mqtt-sn+line://")) {
        return settings_refuse(settings, where, line, "broker", "this board reaches a broker over its line only: write mqtt+line:// or mqtt-sn+line://");
    }
    settings->carrier = stream ? CARRIER_LINE_STREAM : CARRIER_LINE_DATAGRAMS;
    settings->server_count = 1;
    return true;
}
