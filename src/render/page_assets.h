// page_assets.h - script and style of web/, made by cmake/Page.cmake.
#pragma once

#include <stddef.h>

extern const char ms_page_js[], ms_page_css[];
extern const size_t ms_page_js_size, ms_page_css_size;
