import java.sql.DriverManager;
import java.sql.SQLException;

/** Asks PostgreSQL one question by JDBC and prints columns and rows, or the SQLSTATE of the refusal. */
class Query {
    public static void main(String[] given) throws Exception {
        try (var con = DriverManager.getConnection(given[0], given[1], given[2]);
                var statement = con.createStatement();
                var rows = statement.executeQuery(given[3])) {
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
