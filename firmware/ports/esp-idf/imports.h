/* The board: all that it has, and the Port that gives it to a module. */
#ifndef TWOBYTE_IMPORTS_H
#define TWOBYTE_IMPORTS_H

#include "board.h"
#include "links.h"
#include "settings.h"
#include "shell.h"
#include "thermometer.h"

#define ADDRESS_BYTES (SETTINGS_NAME_BYTES + 8)

typedef struct {
    BoardImports imports; /* first: the shell's context is a BoardImports, too */
    Settings settings;
    Shell shell;
    Links links;
    Thermometer thermometer;
    bool has_thermometer;
    uint32_t readings; /* that came since the module began, with those that failed */
    char address[ADDRESS_BYTES];
} Board;

/* The Port; its context is a Board. */
extern const Port board_port;

/* board_say_built_in(board): tells a person that nothing was provisioned, if so, and what to do. */
void board_say_built_in(const Board *board);

/* board_name_server(board): writes the broker's name, for messages. */
void board_name_server(Board *board);

#endif
