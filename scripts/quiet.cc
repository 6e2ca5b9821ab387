// A Node add-on that turns standard error off and on again. libtensorflow_framework prints a message about itself
// from a static initialiser, before TF_CPP_MIN_LOG_LEVEL can count; lib/backend/native.ts loads it between the two.
#include <fcntl.h>
#include <unistd.h>

#include "node_api.h"

static int standard_error = -1;

static napi_value Off(napi_env, napi_callback_info) {
  const int nowhere = open("/dev/null", O_WRONLY);
  if (standard_error < 0 && nowhere >= 0) {
    standard_error = dup(2);
    dup2(nowhere, 2);
  }
  if (nowhere >= 0) close(nowhere);
  return nullptr;
}

static napi_value On(napi_env, napi_callback_info) {
  if (standard_error >= 0) {
    dup2(standard_error, 2);
    close(standard_error);
    standard_error = -1;
  }
  return nullptr;
}

extern "C" __attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  if (napi_create_function(env, "off", NAPI_AUTO_LENGTH, Off, nullptr, &function) == napi_ok) {
    napi_set_named_property(env, exports, "off", function);
  }
  if (napi_create_function(env, "on", NAPI_AUTO_LENGTH, On, nullptr, &function) == napi_ok) {
    napi_set_named_property(env, exports, "on", function);
  }
  return exports;
}
