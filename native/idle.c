// How many requests libuv has in flight (zlib, crypto, files, names, writes): virtual time must not move while any is.
#include "addon.h"

#include <uv.h>

static napi_value active_requests(napi_env env, napi_callback_info info) {
  (void)info;
  struct uv_loop_s *loop;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
    napi_throw_error(env, "ERR_NO_EVENT_LOOP", "this environment has no event loop");
    return NULL;
  }
  return make_integer(env, (int32_t)loop->active_reqs.count);
}

void add_idle(napi_env env, napi_value exports) {
  add_function(env, exports, "activeRequests", active_requests, NULL);
}
