/* provide_loaded DIRECTORY: as provide, but the program is not linked to the library. */
#define LOADED
#include "provide.c"
