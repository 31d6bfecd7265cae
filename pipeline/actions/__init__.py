"""One module for each thing that tocsin does: it reads as prose and joins the pure core to files, database and mail."""
