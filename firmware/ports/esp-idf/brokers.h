/* Addresses of brokers and gateways that this board takes:
 *
 *   mqtt://HOST[:PORT]       TCP, port 1883
 *   mqtts://HOST[:PORT]      TLS, port 8883
 *   mqtt-sn://HOST[:PORT]    UDP, port 1884; with ?search, or at a multicast address, gateways are searched there
 *   mqtt+line://, mqtt-sn+line://  over the console's line; what follows is for people: the program at its other end knows the broker
 *
 * Several of one kind, blanks between them, are tried in turns. */
#ifndef TWOBYTE_BROKERS_H
#define TWOBYTE_BROKERS_H

#include "settings.h"

/* brokers_secure(settings): whether the brokers of the settings are reached over TLS, which settings->carrier does not say. */
bool brokers_secure(const Settings *settings);

#endif
