#include "remembered.h"

#include "crc32.h"

#include "sdkconfig.h"

#include <stddef.h>
#include <string.h>

#if CONFIG_IDF_TARGET_LINUX
#define KEPT
#else
#include "esp_attr.h"
#define KEPT RTC_NOINIT_ATTR
#endif

#define MAGIC 0x54326d33u /* another layout has another */

static KEPT struct {
    uint32_t magic;
    uint32_t check;
    Remembered remembered;
} kept;

static uint32_t check(void) {
    return ~crc32_add(CRC32_BEGUN, (const uint8_t *)&kept.remembered, sizeof kept.remembered);
}

Remembered *remembered_open(void) {
    if (kept.magic != MAGIC || kept.check != check()) {
        memset(&kept, 0, sizeof kept);
        kept.remembered.slot = -1;
        remembered_keep();
    }
    return &kept.remembered;
}

void remembered_keep(void) {
    kept.magic = MAGIC;
    kept.check = check();
}
