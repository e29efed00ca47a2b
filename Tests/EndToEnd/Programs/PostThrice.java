import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Posts BODY to URL three times with the JDK's client. Prints the status and the HTTP version of each answer. */
public class PostThrice {
  public static void main(String[] arguments) throws Exception {
    HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    for (int number = 0; number < 3; number++) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(arguments[0]))
              .timeout(Duration.ofSeconds(10))
              .header("Content-Type", "application/json")
              .POST(HttpRequest.BodyPublishers.ofString(arguments[1]))
              .build();
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      System.out.println(answer.statusCode() + " " + answer.version());
    }
    System.exit(0);
  }
}
