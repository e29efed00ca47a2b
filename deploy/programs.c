/* All programs of the image in one: which of them it is says the name by which it was started.
 *
 * Each of them has the Swift runtime and Foundation in it; in one file they share all that. The functions are what
 * SwiftPM calls the `main` of each executable target. */
#include <string.h>

extern int CommandLineClient_main(int, char **);
extern int Gateway_main(int, char **);
extern int Poller_main(int, char **);
extern int Registrar_main(int, char **);
extern int Simulator_main(int, char **);

int main(int count, char **arguments) {
  const char *slash = strrchr(arguments[0], '/');
  const char *name = slash ? slash + 1 : arguments[0];
  if (strcmp(name, "rollcall-gateway") == 0) return Gateway_main(count, arguments);
  if (strcmp(name, "rollcall-poller") == 0) return Poller_main(count, arguments);
  if (strcmp(name, "rollcall-registrar") == 0) return Registrar_main(count, arguments);
  if (strcmp(name, "rollcall-simulator") == 0) return Simulator_main(count, arguments);
  return CommandLineClient_main(count, arguments);
}
