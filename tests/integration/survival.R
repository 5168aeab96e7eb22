# Fits what test_regression_against_survival.py wrote, and prints one line per number: name, then values.
suppressPackageStartupMessages(library(survival))
folder <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
say <- function(name, values) cat(name, format(as.numeric(values), digits = 17), sep = " ", fill = 1e6)
exactly <- coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 200)

d <- read("cox")
for (ties in c("breslow", "efron")) for (layers in c("one", "many")) for (weighing in c("plain", "weighted")) {
  d$w <- if (weighing == "plain") 1 else d$weight
  d$s <- if (layers == "one") 1 else d$stratum
  f <- coxph(Surv(time, event) ~ x1 + x2 + x3 + strata(s), data = d, weights = w, ties = ties, control = exactly, robust = FALSE)
  r <- coxph(Surv(time, event) ~ x1 + x2 + x3 + strata(s), data = d, weights = w, ties = ties, control = exactly, robust = TRUE)
  g <- coxph(Surv(time, event) ~ x1 + x2 + x3 + strata(s), data = d, weights = w, ties = ties, control = exactly, cluster = cluster)
  name <- paste(ties, layers, weighing, sep = "-")
  say(paste0(name, ":coefficients"), coef(f))
  say(paste0(name, ":log-likelihood"), f$loglik[2])
  say(paste0(name, ":covariance"), vcov(f))
  say(paste0(name, ":robust"), vcov(r))
  say(paste0(name, ":clustered"), vcov(g))
}
d <- read("sets")
for (ties in c("exact", "efron", "breslow")) {
  f <- coxph(Surv(rep(1, nrow(d)), event) ~ x1 + x2 + strata(stratum), data = d, ties = ties, control = exactly)
  say(paste0(ties, ":coefficients"), coef(f))
  say(paste0(ties, ":log-likelihood"), f$loglik[2])
  say(paste0(ties, ":covariance"), vcov(f))
}
d <- read("counts")
f <- glm(count ~ x1 + x2 + factor(stratum) + offset(log(time)), family = poisson, data = d, epsilon = 1e-14, maxit = 100)
say("conditional-poisson:coefficients", coef(f)[2:3])
say("conditional-poisson:covariance", vcov(f)[2:3, 2:3])
f <- glm(count ~ x1 + x2 + offset(log(time)), weights = weight, family = poisson, data = d, epsilon = 1e-14, maxit = 100)
say("poisson:coefficients", coef(f))
say("poisson:covariance", vcov(f))
f <- glm(count > 0 ~ x1 + x2, family = binomial, data = d, epsilon = 1e-14, maxit = 100)
say("logistic:coefficients", coef(f))
say("logistic:covariance", vcov(f))
say("logistic:log-likelihood", logLik(f))
f <- glm(count ~ x1 + x2 + offset(log(time)), family = poisson, data = d, epsilon = 1e-14, maxit = 100)
say("counts:log-likelihood", logLik(f))
