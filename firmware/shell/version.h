/* The firmware's version, that of package.json. */
#ifndef TWOBYTE_VERSION_H
#define TWOBYTE_VERSION_H

#define FIRMWARE_VERSION "0.1.0"

#endif
