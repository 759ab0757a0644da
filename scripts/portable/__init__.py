"""The sample company on a second engine: the same dbt project, the same lake, and every row compared."""
