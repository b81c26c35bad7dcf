// Batches of packets in and out: one call of JavaScript each, and in it one read or write a packet.
// Moves `header + packet` octets at offsets that TypeScript gives it; arena and columns are borrowed for the call.
#include "device.h"

#include <errno.h>
#include <unistd.h>

// receive(device, bytes, offsets, lengths, row, at, gap, largest) -> how many packets were read; 0 where none waits; a
// negative errno. The first packet goes to `at`, each next one to the next multiple of four and `gap` octets further,
// its header directly before it; rows from `row` on say where. Ends when rows or room for the largest packet run out.
static napi_value receive(napi_env env, napi_callback_info info) {
  napi_value values[MOST_ARGUMENTS];
  uint8_t *bytes;
  int32_t *offsets, *lengths;
  size_t size, rows, rows_of_length;
  int32_t row, at, gap, largest;
  struct device *device = device_argument(env, info, 8, values);
  if (device == NULL || !read_octets(env, values[1], "bytes", &bytes, &size) ||
      !read_integers(env, values[2], "offsets", &offsets, &rows) ||
      !read_integers(env, values[3], "lengths", &lengths, &rows_of_length) ||
      !read_integer(env, values[4], "row", 0, INT32_MAX, &row) || !read_integer(env, values[5], "at", 0, INT32_MAX, &at) ||
      !read_integer(env, values[6], "gap", 0, INT32_MAX, &gap) ||
      !read_integer(env, values[7], "largest", 1, INT32_MAX, &largest))
    return NULL;
  int header = device->header;
  if (at < header || gap < header || rows_of_length < rows) {
    throw_range(env, "no room for the header, or columns of different lengths");
    return NULL;
  }
  int32_t taken = 0;
  size_t place = (size_t)at;
  while ((size_t)row < rows && place + (size_t)largest <= size) {
    ssize_t octets = read(device->descriptor, bytes + place - header, (size_t)largest + (size_t)header);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno != EAGAIN && taken == 0) return make_integer(env, -errno);
    if (octets < 0) break;
    if (octets <= header) continue;
    offsets[row] = (int32_t)place;
    lengths[row] = (int32_t)(octets - header);
    place = ((place + (size_t)(octets - header) + 3) & ~(size_t)3) + (size_t)gap;
    row++;
    taken++;
  }
  return make_integer(env, taken);
}

// transmit(device, bytes, offsets, lengths, first, end) -> how many packets the kernel took; 0 where it has no room now;
// a negative errno for the first packet where it refused that one.
static napi_value transmit(napi_env env, napi_callback_info info) {
  napi_value values[MOST_ARGUMENTS];
  uint8_t *bytes;
  int32_t *offsets, *lengths;
  size_t size, rows, rows_of_length;
  int32_t first, end;
  struct device *device = device_argument(env, info, 6, values);
  if (device == NULL || !read_octets(env, values[1], "bytes", &bytes, &size) ||
      !read_integers(env, values[2], "offsets", &offsets, &rows) ||
      !read_integers(env, values[3], "lengths", &lengths, &rows_of_length) ||
      !read_integer(env, values[4], "first", 0, INT32_MAX, &first) ||
      !read_integer(env, values[5], "end", 0, INT32_MAX, &end))
    return NULL;
  int header = device->header;
  if ((size_t)end > rows || (size_t)end > rows_of_length) {
    throw_range(env, "\"end\" lies beyond the columns");
    return NULL;
  }
  int32_t row = first;
  while (row < end) {
    int64_t start = (int64_t)offsets[row] - header;
    if (start < 0 || lengths[row] < 0 || start + header + lengths[row] > (int64_t)size) {
      throw_range(env, "a packet lies outside of its arena");
      return NULL;
    }
    ssize_t octets = write(device->descriptor, bytes + start, (size_t)lengths[row] + (size_t)header);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno != EAGAIN && row == first) return make_integer(env, -errno);
    if (octets < 0) break;
    row++;
  }
  return make_integer(env, row - first);
}

// errorName(number) -> "EIO"
static napi_value error_name(napi_env env, napi_callback_info info) {
  napi_value values[1], result;
  int32_t number;
  char scratch[64];
  if (!read_arguments(env, info, 1, values, NULL) || !read_integer(env, values[0], "error", 1, 4095, &number)) return NULL;
  napi_create_string_utf8(env, errno_name(number, scratch, sizeof scratch), NAPI_AUTO_LENGTH, &result);
  return result;
}

void add_packets(napi_env env, napi_value exports, void *environment) {
  add_function(env, exports, "receive", receive, environment);
  add_function(env, exports, "transmit", transmit, environment);
  add_function(env, exports, "errorName", error_name, environment);
}
