// What pgJDBC does with the gateway: metadata, four executions (binary results after the second), fetching in parts,
// a refusal, a time limit. Prints one line each.
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

public class Asking {
    public static void main(String[] given) throws Exception {
        Properties said = new Properties();
        said.put("user", given[1]);
        said.put("password", given[2]);
        said.put("prepareThreshold", "2");
        said.put("sslmode", "verify-full");
        said.put("sslrootcert", given[3]);
        try (Connection line = DriverManager.getConnection(given[0], said)) {
            DatabaseMetaData about = line.getMetaData();
            try (ResultSet rows = about.getTables(null, "public", "per%", new String[] {"TABLE"})) {
                while (rows.next()) System.out.println("table " + rows.getString("TABLE_NAME"));
            }
            try (ResultSet rows = about.getColumns(null, "public", "death", "death_date")) {
                while (rows.next()) System.out.println(rows.getString("COLUMN_NAME") + " " + rows.getString("TYPE_NAME"));
            }
            try (ResultSet rows = about.getPrimaryKeys(null, "public", "person")) {
                System.out.println("key " + rows.next());
            }
            try (ResultSet keys = about.getImportedKeys(null, "public", "person"); ResultSet types = about.getTypeInfo()) {
                System.out.println("imported " + keys.next() + ", types " + types.next());
            }
            try (PreparedStatement asked = line.prepareStatement("SELECT count(*) AS n FROM person WHERE year_of_birth = ANY(?)")) {
                asked.setArray(1, line.createArrayOf("int4", new Object[] {1900, 1960}));
                try (ResultSet rows = asked.executeQuery()) {
                    rows.next();
                    System.out.println("listed " + rows.getInt("n"));
                }
            }
            String text = "SELECT count(*) AS n, avg(year_of_birth) AS a, DATE '2020-02-03' AS d, "
                + "TIMESTAMP '2020-02-03 04:05:06' AS t, 1.50 AS m, true AS b, 'é' AS x FROM person WHERE year_of_birth > ? AND 'x' = ?";
            try (PreparedStatement asked = line.prepareStatement(text)) {
                for (int turn = 0; turn < 4; turn++) {
                    asked.setInt(1, 1900 + turn);
                    asked.setString(2, "x");
                    try (ResultSet rows = asked.executeQuery()) {
                        rows.next();
                        System.out.println(rows.getLong("n") + " " + rows.getDouble("a") + " " + rows.getDate("d") + " "
                            + rows.getTimestamp("t") + " " + rows.getBigDecimal("m") + " " + rows.getBoolean("b") + " " + rows.getString("x"));
                    }
                }
            }
            line.setAutoCommit(false);
            try (Statement asked = line.createStatement()) {
                asked.setFetchSize(10);
                int n = 0;
                try (ResultSet rows = asked.executeQuery("SELECT person_id FROM person")) {
                    while (rows.next()) n++;
                }
                System.out.println("fetched " + n);
            }
            try (Statement asked = line.createStatement()) {
                asked.executeQuery("SELECT * FROM secrets");
            } catch (SQLException refused) {
                System.out.println("refused " + refused.getSQLState());
            }
            line.rollback();
            line.setAutoCommit(true);
            try (Statement asked = line.createStatement()) {
                asked.setQueryTimeout(1);
                asked.executeQuery(given[4]);
            } catch (SQLException stopped) {
                System.out.println("stopped " + stopped.getSQLState());
            }
        }
    }
}
