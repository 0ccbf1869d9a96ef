#include "update_psa.h"

#include <psa/crypto.h>
#include <string.h>

bool update_psa_hash(const uint8_t *bytes, uint32_t length, uint8_t to[32]) {
    size_t written;
    if (psa_crypto_init() != PSA_SUCCESS) return false;
    return psa_hash_compute(PSA_ALG_SHA_256, bytes, length, to, 32, &written) == PSA_SUCCESS && written == 32;
}

bool update_psa_verify(const uint8_t key[64], const uint8_t hash[32], const uint8_t signature[64]) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id;
    uint8_t point[65] = {4}; /* uncompressed */
    memcpy(point + 1, key, 64);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    if (psa_crypto_init() != PSA_SUCCESS || psa_import_key(&attributes, point, sizeof point, &id) != PSA_SUCCESS) return false;
    psa_status_t status = psa_verify_hash(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), hash, 32, signature, 64);
    (void)psa_destroy_key(id);
    return status == PSA_SUCCESS;
}
