/* The emulated board's addresses: the other end of its line leads to a broker or a gateway, and knows which. */
#include "settings.h"

#include <string.h>

bool settings_brokers(Settings *settings, const char *urls, const char *where, uint32_t line) {
    bool stream = strcmp(urls, "mqtt+serial:") == 0;
    if (!stream && strcmp(urls, "mqtt-sn+serial:") != 0) {
        return settings_refuse(settings, where, line, "broker",
                               "this board reaches a broker over its line only: write mqtt+serial: or mqtt-sn+serial:");
    }
    settings->carrier = stream ? CARRIER_TCP : CARRIER_SERIAL;
    settings->server_count = 1;
    return true;
}
