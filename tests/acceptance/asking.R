# What R does with the gateway by DBI, RPostgreSQL and dbplyr. Prints one line each.
suppressPackageStartupMessages({library(DBI); library(dplyr); library(dbplyr)})
tell <- function(...) cat(paste(...), "\n", sep = "")
line <- dbConnect(RPostgreSQL::PostgreSQL(), dbname = commandArgs(TRUE)[1])
tables <- dbListTables(line)
tell("tables", paste(intersect(c("death", "person", "secrets"), tables), collapse = " "))
tell("exists", dbExistsTable(line, "person"))
tell("fields", paste(intersect(c("death_date", "person_id", "secret"), dbListFields(line, "death")), collapse = " "))

person <- tbl(line, in_schema("public", "person"))
grouped <- person %>%
  filter(year_of_birth > 1900L, !is.na(gender_concept_id)) %>%
  left_join(tbl(line, "death"), by = "person_id") %>%
  mutate(sex = case_when(gender_concept_id == 8507L ~ "m", gender_concept_id == 8532L ~ "f", TRUE ~ "other")) %>%
  group_by(sex, is_dead = !is.na(death_date)) %>%
  summarise(n = n(), born = median(year_of_birth, na.rm = TRUE), first = min(death_date, na.rm = TRUE), .groups = "drop") %>%
  arrange(sex, is_dead) %>%
  collect()
for (at in seq_len(nrow(grouped))) tell("group", paste(lapply(grouped, function(column) format(column[at])), collapse = " "))

kinds <- dbGetQuery(line, "SELECT 1 AS i, 2.5::DOUBLE AS f, 1.50 AS m, true AS b, DATE '2020-02-03' AS d,
  TIMESTAMP '2020-02-03 04:05:06' AS t, 'é' AS x")
tell("kinds", paste(sapply(kinds, function(column) class(column)[1]), collapse = " "))
tell("values", paste(sapply(kinds, format), collapse = " "))

asked <- "SELECT person_id FROM person WHERE year_of_birth > $1 AND $2 = 'it''s' ORDER BY person_id"
rows <- dbSendQuery(line, asked, list(1900L, "it's"))
tell("fetched", nrow(fetch(rows, 10)), nrow(fetch(rows, -1)), dbHasCompleted(rows))
invisible(dbClearResult(rows))
invisible(suppressWarnings(dbGetQuery(line, "SELECT * FROM secrets")))
tell("refused", dbGetException(line)$errorMsg)
invisible(dbDisconnect(line))
