// What the parts of the addon share: strict reading of arguments, and errors that carry their errno.
#ifndef TUNSTACK_ADDON_H
#define TUNSTACK_ADDON_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_ARGUMENTS 8

// arguments.c. Each of the readers throws and returns false where the value is not exactly what was asked for:
// a boolean that is read as a number would silently become a flag or a descriptor.
bool read_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values, void **data);
bool read_integer(napi_env env, napi_value value, const char *name, int32_t least, int32_t most, int32_t *result);
bool read_text(napi_env env, napi_value value, const char *name, char *into, size_t size);
bool read_octets(napi_env env, napi_value value, const char *name, uint8_t **octets, size_t *length);
bool read_integers(napi_env env, napi_value value, const char *name, int32_t **integers, size_t *length);
bool is_null(napi_env env, napi_value value);
void throw_range(napi_env env, const char *message);
// Throws an Error with `code` ("EPERM"), `errno` (negative, as Node has it) and `syscall`.
void throw_errno(napi_env env, int error, const char *syscall);
const char *errno_name(int error, char *scratch, size_t size);
napi_value make_integer(napi_env env, int32_t value);
void set_integer(napi_env env, napi_value object, const char *name, int32_t value);
void add_function(napi_env env, napi_value exports, const char *name, napi_callback callback, void *data);

// The parts that module.c puts together.
void add_idle(napi_env env, napi_value exports);
#ifdef __linux__
void add_tun(napi_env env, napi_value exports);
#endif

#endif
