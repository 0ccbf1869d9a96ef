/* Beginnings of modules, as WebAssembly's own bytes: what they import. A custom section may follow. */
#ifndef TWOBYTE_UPDATE_MODULES_H
#define TWOBYTE_UPDATE_MODULES_H

#include "module_imports.h"

#define PREAMBLE 0, 'a', 's', 'm', 1, 0, 0, 0
/* (func (param i32 i32 i32)), (func (result i32)) */
#define TYPES 1, 11, 2, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 0x60, 0, 1, 0x7f
#define BOARD 5, 'b', 'o', 'a', 'r', 'd'

static const uint8_t module_known[] = {PREAMBLE, TYPES, 2, 30, 2, BOARD, 5, 'e', 'v', 'e', 'n', 't', 0, 0, BOARD, 6, 'r', 'a', 'n', 'd', 'o', 'm', 0, 1};
static const uint8_t module_unknown[] = {PREAMBLE, TYPES, 2, 18, 1, BOARD, 8, 'l', 'e', 'v', 'i', 't', 'a', 't', 'e', 0, 0};
static const uint8_t module_elsewhere[] = {PREAMBLE, TYPES, 2, 13, 1, 3, 'e', 'n', 'v', 5, 'e', 'v', 'e', 'n', 't', 0, 0};
static const uint8_t module_types[] = {PREAMBLE, TYPES, 2, 15, 1, BOARD, 5, 'e', 'v', 'e', 'n', 't', 0, 1};
static const uint8_t module_memory[] = {PREAMBLE, TYPES, 2, 16, 1, BOARD, 5, 'e', 'v', 'e', 'n', 't', 2, 0, 1};
static const uint8_t module_cut[] = {PREAMBLE, TYPES, 2, 0xff, 0xff, 3, 1, BOARD};

#endif
