import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.stream.Stream;

/**
 * Sends requests with one of the JDK's clients: KEY, and for each request its URL and its body ("" for GET).
 *
 * <p>Prints "-- STATUS VERSION" before the lines of each answer, which it reads as a stream.
 */
public class JDKRequests {
  public static void main(String[] arguments) throws Exception {
    HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    for (int index = 1; index + 1 < arguments.length; index += 2) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(arguments[index]))
              .timeout(Duration.ofSeconds(20))
              .header("Authorization", "Bearer " + arguments[0]);
      if (!arguments[index + 1].isEmpty()) {
        request
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(arguments[index + 1]));
      }
      HttpResponse<Stream<String>> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofLines());
      System.out.println("-- " + answer.statusCode() + " " + answer.version());
      answer.body().forEach(System.out::println);
    }
    System.exit(0);
  }
}
