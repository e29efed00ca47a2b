// Reference for polled endpoints per second: a bare libcurl multi loop that parses nothing.
//
//   bare_poll BASE_URL ENDPOINTS HANDLES SECONDS
//
// Asks for BASE_URL/e/<n>/v1/models over and over with HANDLES easy handles in one multi handle, each with one request
// in flight; prints the answers a second.
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static size_t discard(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes;
  (void)context;
  return size * count;
}

static const char *base;
static long endpoints, next;

static void ask(CURLM *multi, CURL *easy) {
  char url[512];
  snprintf(url, sizeof url, "%s/e/%ld/v1/models", base, next++ % endpoints);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) fail("curl_multi_add_handle");
}

static CURL *new_handle(void) {
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 5000L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
  return easy;
}

// Takes what has ended; the answers among it. Each handle that ended asks again.
static long harvest(CURLM *multi) {
  long answers = 0, status = 0;
  int left = 0;
  for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
    CURL *easy = message->easy_handle;
    if (message->data.result != CURLE_OK) fail(curl_easy_strerror(message->data.result));
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) fail("an endpoint did not answer with 200");
    answers++;
    curl_multi_remove_handle(multi, easy);
    ask(multi, easy);
  }
  return answers;
}

int main(int count, char **arguments) {
  if (count != 5) fail("usage: bare_poll BASE_URL ENDPOINTS HANDLES SECONDS");
  base = arguments[1];
  endpoints = atol(arguments[2]);
  double start = now(), end = start + atof(arguments[4]);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  for (int handle = atoi(arguments[3]); handle > 0; handle--) ask(multi, new_handle());

  long answers = 0;
  int running = 0;
  while (now() < end) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) fail("curl_multi_perform");
    answers += harvest(multi);
    if (curl_multi_poll(multi, NULL, 0, 100, NULL) != CURLM_OK) fail("curl_multi_poll");
  }
  printf("%.0f\n", answers / (now() - start));
  return 0;
}
