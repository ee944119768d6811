// places.h - what goroutines are parked on, by name: locks with the map that they guard and who
// holds them, channels with what is in them.
#pragma once

#include "goroutines/goroutines_run.h"

/** Fills the report's places, each row's place, and the role of those that wait for a map's lock.
 */
extern const struct ms_goroutines_pass ms_places_pass;
