import java.sql.DriverManager;
import java.sql.SQLException;

/** Asks PostgreSQL by JDBC: an address, a login, then pairs of a password and a question. Prints columns and rows, or the SQLSTATE of the refusal. */
class Query {
    public static void main(String[] given) {
        for (int next = 2; next < given.length; next += 2) {
            ask(given[0], given[1], given[next], given[next + 1]);
        }
    }

    static void ask(String url, String login, String password, String question) {
        try (var con = DriverManager.getConnection(url, login, password);
                var statement = con.createStatement();
                var rows = statement.executeQuery(question)) {
            var about = rows.getMetaData();
            var line = new StringBuilder();
            for (int column = 1; column <= about.getColumnCount(); column++) {
                line.append(column > 1 ? "|" : "").append(about.getColumnLabel(column));
            }
            System.out.println(line);
            while (rows.next()) {
                line.setLength(0);
                for (int column = 1; column <= about.getColumnCount(); column++) {
                    line.append(column > 1 ? "|" : "").append(rows.getString(column));
                }
                System.out.println(line);
            }
        } catch (SQLException refused) {
            System.out.println("SQLSTATE " + refused.getSQLState());
        }
    }
}
