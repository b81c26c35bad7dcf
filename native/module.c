// The addon's entry: what `require` of the .node file gives. It is loaded anew for every worker thread.
#include "addon.h"

NAPI_MODULE_INIT() {
  add_idle(env, exports);
#ifdef __linux__
  add_tun(env, exports);
#endif
  return exports;
}
