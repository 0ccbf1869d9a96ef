/* What update.h needs of a library, by PSA Crypto: Mbed TLS 2.28, 3 and 4 have these calls alike. The library takes memory of its own while it
 * verifies, and gives it back.
 *
 * - psa_crypto_init is called with the first hash or signature; a call that fails counts as a signature that is wrong. */
#ifndef TWOBYTE_UPDATE_PSA_H
#define TWOBYTE_UPDATE_PSA_H

#include <stdbool.h>
#include <stdint.h>

/* update_psa_hash, update_psa_verify: hash and verify of an UpdatePort. */
bool update_psa_hash(const uint8_t *bytes, uint32_t length, uint8_t to[32]);
bool update_psa_verify(const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64]);

#endif
