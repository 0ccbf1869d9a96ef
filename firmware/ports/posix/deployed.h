/* The slots of deployed modules (slots.h, update.h) of a posix board, in the file that the key `modules` names.
 *
 * - The file has DEPLOYED_FILE_BYTES: two records of what is known of the slots, written in turns, then the slots. It is read by mmap, written by pwrite
 *   and fdatasync; what a chip erases is written as 0xff. One board at a file: it is locked. A file of another size or content is not touched.
 * - The module of the key `module` is the factory's: it runs when no slot holds a module, or all were left.
 * - `public_key` is 128 hexadecimal digits, or a file of them; without it the board runs what it has and takes nothing new. `update_trial` is the ms that a
 *   new module has to reach its broker. */
#ifndef TWOBYTE_DEPLOYED_H
#define TWOBYTE_DEPLOYED_H

#include "settings.h"
#include "update.h"

#define DEPLOYED_SLOT_BYTES (128 * 1024)
#define DEPLOYED_SECTOR_BYTES 4096
#define DEPLOYED_FILE_BYTES (2 * DEPLOYED_SECTOR_BYTES + SLOTS * DEPLOYED_SLOT_BYTES)

typedef struct {
    const char *path; /* NULL: there are no slots */
    int file;
    const uint8_t *bytes; /* of the file */
    uint32_t serial;      /* of the last record */
    bool unkept;          /* a record could not be written, and this was told */
    uint8_t key[UPDATE_KEY_BYTES];
    UpdatePort port;
    Slots slots;
    SlotState states[SLOTS];
    UpdateLeft left;
    Update update;
} Deployed;

/* deployed_open(deployed, settings): opens or makes the file. False, after a word about why not; true without the keys, too. */
bool deployed_open(Deployed *deployed, const Settings *settings);

/* deployed_keep(deployed): writes what is known of the slots. */
void deployed_keep(Deployed *deployed);

void deployed_close(Deployed *deployed);

#endif
