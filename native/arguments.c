// Arguments from JavaScript, read strictly, and errors back to it.
#include "addon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

static void throw_type(napi_env env, const char *name, const char *wanted) {
  char message[128];
  snprintf(message, sizeof message, "\"%s\" must be %s", name, wanted);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
}

void throw_range(napi_env env, const char *message) {
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
}

bool read_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values, void **data) {
  size_t given = wanted;
  if (napi_get_cb_info(env, info, &given, values, NULL, data) != napi_ok) return false;
  if (given >= wanted) return true;
  napi_throw_type_error(env, "ERR_MISSING_ARGS", "too few arguments");
  return false;
}

bool read_integer(napi_env env, napi_value value, const char *name, int32_t least, int32_t most, int32_t *result) {
  double number;
  // Differs from napi_get_value_int32, which turns 1.5 into 1 and NaN into 0 without a word.
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    throw_type(env, name, "a number");
    return false;
  }
  if (!(number >= least && number <= most) || number != (double)(int32_t)number) {
    char message[128];
    snprintf(message, sizeof message, "\"%s\" must be an integer from %d to %d", name, (int)least, (int)most);
    throw_range(env, message);
    return false;
  }
  *result = (int32_t)number;
  return true;
}

bool read_text(napi_env env, napi_value value, const char *name, char *into, size_t size) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type(env, name, "a string");
    return false;
  }
  if (length >= size) {
    char message[128];
    snprintf(message, sizeof message, "\"%s\" must be shorter than %d octets", name, (int)size);
    throw_range(env, message);
    return false;
  }
  napi_get_value_string_utf8(env, value, into, size, &length);
  if (strlen(into) == length) return true;
  throw_type(env, name, "a string without a NUL");
  return false;
}

static bool read_array(napi_env env, napi_value value, const char *name, napi_typedarray_type wanted,
                       const char *wanted_name, void **data, size_t *length) {
  bool is_array = false;
  napi_typedarray_type type;
  if (napi_is_typedarray(env, value, &is_array) != napi_ok || !is_array ||
      napi_get_typedarray_info(env, value, &type, length, data, NULL, NULL) != napi_ok || type != wanted) {
    throw_type(env, name, wanted_name);
    return false;
  }
  return true;
}

bool read_octets(napi_env env, napi_value value, const char *name, uint8_t **octets, size_t *length) {
  return read_array(env, value, name, napi_uint8_array, "a Uint8Array", (void **)octets, length);
}

bool read_integers(napi_env env, napi_value value, const char *name, int32_t **integers, size_t *length) {
  return read_array(env, value, name, napi_int32_array, "an Int32Array", (void **)integers, length);
}

bool is_null(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_null;
}

const char *errno_name(int error, char *scratch, size_t size) {
  // What a TUN device answers after its deletion is not among libuv's errors.
#ifdef EBADFD
  if (error == EBADFD) return "EBADFD";
#endif
  return uv_err_name_r(-error, scratch, size);
}

void throw_errno(napi_env env, int error, const char *syscall) {
  char scratch[64];
  char text[160];
  const char *name = errno_name(error, scratch, sizeof scratch);
  napi_value code, message, result, value;
  snprintf(text, sizeof text, "%s: %s", name, syscall);
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_error(env, code, message, &result) != napi_ok)
    return;
  set_integer(env, result, "errno", -error);
  if (napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &value) == napi_ok)
    napi_set_named_property(env, result, "syscall", value);
  napi_throw(env, result);
}

napi_value make_integer(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

void set_integer(napi_env env, napi_value object, const char *name, int32_t value) {
  napi_set_named_property(env, object, name, make_integer(env, value));
}

void add_function(napi_env env, napi_value exports, const char *name, napi_callback callback, void *data) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, data, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}
