/* The posix board's settings come from files and the command line, and its broker's addresses are these:
 *
 *     mqtt://host[:1883]                    MQTT over TCP
 *     mqtt-sn://host[:1884]                 MQTT-SN over UDP; host a multicast address or 255.255.255.255: gateways are searched there
 *     mqtt-sn://host[:1884]?search          gateways are searched there, whatever the address is
 *     mqtt-sn+serial:///path[?baud=115200]  MQTT-SN over a serial line; the path is taken as it stands, no %20 in it
 *     mqtt+line://name                      MQTT by the console's line (host_line.h), to a bridge; mqtt-sn+line://name for datagrams
 *
 * - Up to SETTINGS_SERVERS addresses of one kind, blanks between them, are tried in their order; one where gateways are searched is alone.
 * - An IPv6 address stands in brackets, with its zone where it has one: [ff02::1%eth0].
 * - The keys module and journal are paths here. */
#ifndef TWOBYTE_SETTINGS_FILE_H
#define TWOBYTE_SETTINGS_FILE_H

#include "settings.h"

#define SETTINGS_FILE_BYTES 16384

/* settings_load(settings, path): reads the file. */
bool settings_load(Settings *settings, const char *path);

/* settings_complete(settings): whether broker, thermometer and module are there, and for an address of the console's line a console. */
bool settings_complete(Settings *settings);

#endif
