import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.lang.reflect.Method;
import java.nio.file.Path;
import org.elasticsearch.bootstrap.ServerArgs;
import org.elasticsearch.common.io.stream.OutputStreamStreamOutput;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;

/** Runs an Elasticsearch node in this very process: Start CONFIG LOGS setting=value ... secure:setting=value ... */
public class Start {
    /** The server ends when its standard input does; this one never ends. */
    private static final class Open extends InputStream {
        @Override public synchronized int read() throws IOException {
            for (;;) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    return -1;
                }
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Path config = Path.of(arguments[0]).toAbsolutePath(), logs = Path.of(arguments[1]).toAbsolutePath();
        KeyStoreWrapper secure = KeyStoreWrapper.create();
        Settings.Builder settings = Settings.builder().put("path.home", System.getProperty("es.path.home")).put("path.logs", logs.toString());
        for (int i = 2; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            if (pair[0].startsWith("secure:"))
                secure.setString(pair[0].substring("secure:".length()), pair[1].toCharArray());
            else
                settings.put(pair[0], pair[1]);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ServerArgs(false, false, null, secure, settings.build(), config, logs).writeTo(new OutputStreamStreamOutput(bytes));
        System.setIn(new SequenceInputStream(new ByteArrayInputStream(bytes.toByteArray()), new Open()));
        Method server = Class.forName("org.elasticsearch.bootstrap.Elasticsearch").getMethod("main", String[].class);
        server.setAccessible(true);
        server.invoke(null, (Object) new String[0]);
    }
}
