/* The imports of updates on a board that takes no new modules: whoever deploys one hears so. */
#ifndef TWOBYTE_UPDATE_NONE_H
#define TWOBYTE_UPDATE_NONE_H

#include <stdbool.h>
#include <stdint.h>

/* update_none_take(asked, length): 0; `*asked` is what update_none_answer looks at. */
int32_t update_none_take(bool *asked, int32_t length);

/* update_none_answer(asked, why, to, capacity): a refusal with this reason, once for each message. */
int32_t update_none_answer(bool *asked, const char *why, uint8_t *to, int32_t capacity);

#endif
